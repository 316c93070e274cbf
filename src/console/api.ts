// Calls the operator API from the page, and classifies failures.
import type { Credentials } from './credentials.ts';

export interface Problem {
  readonly status: number;
  readonly detail: string;
  /** The id of the request in the node's log; null: the answer has none. */
  readonly requestId: string | null;
  /** With a 409: the commands that are legal now. */
  readonly allowed?: readonly string[];
  /** With a 400: the errors in the body. */
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export type Answer =
  | { readonly ok: true; readonly document: unknown }
  | { readonly ok: false; readonly problem: Problem }
  /** No answer, or none in time: the command may or may not have been carried out. */
  | { readonly ok: false; readonly problem: null };

export const apiBase = '/api/v1';

/** Longer than the deadline of any step, with the default config. */
const answerTimeoutMs = 60_000;

export interface CallOptions {
  /** Preview the command; change nothing. */
  readonly dryRun?: boolean;
  /** Refuse the command unless the node is at this generation. */
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

/** Reads a problem document (RFC 9457); any other answer is described by its status. */
export function problemOf({ status, statusText, headers }: Response, document: unknown): Problem {
  const { detail = statusText, allowed, errors } = (document ?? {}) as Partial<Problem>;
  const requestId = headers.get('x-request-id');
  return { status, detail, requestId, ...(allowed && { allowed }), ...(errors && { errors }) };
}
