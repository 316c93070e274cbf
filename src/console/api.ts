// One call of the operator API from the page, and how it can fail.
import type { Credentials } from './credentials.ts';

export interface Problem {
  readonly status: number;
  readonly detail: string;
  /** By which the node's log knows the request; null: it has none. */
  readonly requestId: string | null;
  /** Of a 409: what is legal instead. */
  readonly allowed?: readonly string[];
  /** Of a 400: where in the body the faults are. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export type Answer =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly problem: Problem }
  /** Nothing came back, or not in time: whether the command was carried out is not known. */
  | { readonly ok: false; readonly problem: null };

export const apiBase = '/api/v1';

/** Longer than any step's own deadline with the config's defaults. */
const answerTimeoutMs = 60_000;

export interface CallOptions {
  /** Only to be told what would happen. */
  readonly dryRun?: boolean;
  /** The generation that the command is meant for. */
  readonly ifMatch?: number | null;
}

export async function call(
  credentials: Credentials,
  name: string,
  body: object,
  { dryRun = false, ifMatch = null }: CallOptions = {},
): Promise<Answer> {
  const url = `${apiBase}/${name}${dryRun ? '?dryRun=true' : ''}`;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        authorization: await credentials.authorize(url, body),
        'content-type': 'application/json',
        ...(ifMatch !== null && { 'if-match': `"${ifMatch}"` }),
      },
      body: JSON.stringify(body),
      cache: 'no-store',
      signal: AbortSignal.timeout(answerTimeoutMs),
    });
    const document: unknown = await response.json().catch(() => null);
    return response.ok ? { ok: true, document } : { ok: false, problem: problemOf(response, document) };
  } catch {
    return { ok: false, problem: null };
  }
}

/** From a problem document (RFC 9457), or, where the answer is none, from its status alone. */
export function problemOf({ status, statusText, headers }: Response, document: unknown): Problem {
  const { detail = statusText, allowed, errors } = (document ?? {}) as Partial<Problem>;
  const requestId = headers.get('x-request-id');
  return { status, detail, requestId, ...(allowed && { allowed }), ...(errors && { errors }) };
}
