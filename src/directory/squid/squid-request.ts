// One GraphQL request over HTTP: deadline, size limit, and failures as reasons for the operator.
import type { ReasonOf } from '../../base/condition.ts';
import { codeOf } from '../../base/errors.ts';
import { printable } from '../../base/printable.ts';

/** The squid cannot be queried, or its answer cannot be used. */
export class SquidFailure extends Error {
  override readonly name = 'SquidFailure';
  readonly reason: ReasonOf<'SquidUnreachable'>;
  /** The answer was larger than allowed: a smaller query may help. */
  readonly isOversized: boolean;

  constructor(reason: ReasonOf<'SquidUnreachable'>, message: string, isOversized = false) {
    super(message);
    this.reason = reason;
    this.isOversized = isOversized;
  }
}

export interface SquidRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** Aborts the request; the signal's reason is thrown. */
  readonly signal: AbortSignal;
}

/** Sends one request. @returns `data` @throws {SquidFailure}, or the reason of the signal */
export type AskSquid = (request: SquidRequest) => Promise<unknown>;

/** The server has closed an idle keep-alive connection: the request is retried once, on a new one. */
const closedCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Longest text from the squid that is shown. */
const maxShown = 200;

/** @param url perhaps with user and password, which are sent and never shown */
export function squidAt(url: string): { readonly ask: AskSquid; readonly address: string } {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (target === null || !/^https?:$/.test(target.protocol)) {
    const failure = new SquidFailure('NoConnection', 'The configured address is not an http or https URL.');
    return { address: '', ask: () => Promise.reject(failure) };
  }
  const headers = { 'Content-Type': 'application/json', Accept: 'application/json', ...authorization(target) };
  target.username = '';
  target.password = '';
  const address = target.href;
  const ask: AskSquid = async ({ query, variables, timeoutMs, maxBytes, signal }) => {
    signal.throwIfAborted();
    const controller = new AbortController();
    const late = new SquidFailure('NoAnswer', `${address} did not answer within ${timeoutMs} ms.`);
    const timer = setTimeout(() => controller.abort(late), timeoutMs);
    const onAbort = () => controller.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      const body = JSON.stringify({ query, variables });
      const init: RequestInit = { method: 'POST', headers, body, redirect: 'manual', signal: controller.signal };
      const response = await fetch(address, init).catch((error) => {
        if (!closedCodes.has(codeOf(error?.cause) ?? '')) throw error;
        return fetch(address, init);
      });
      return dataOf(address, response, await textOf(address, response, maxBytes));
    } catch (error) {
      if (controller.signal.aborted) throw controller.signal.reason;
      throw error instanceof SquidFailure ? error : noConnection(address, error);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  };
  return { ask, address };
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const plain = `${unescaped(username)}:${unescaped(password)}`;
  return { Authorization: `Basic ${Buffer.from(plain).toString('base64')}` };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The body, up to the limit. */
async function textOf(address: string, response: Response, maxBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  if (response.body === null) return '';
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > maxBytes) {
      throw new SquidFailure('BadAnswer', `${address} sent an answer of more than ${maxBytes} bytes.`, true);
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function dataOf(address: string, response: Response, text: string): unknown {
  const answer = parsed(text);
  if (typeof answer !== 'object' || answer === null || !('data' in answer || 'errors' in answer)) {
    const type = response.headers.get('content-type') ?? 'no type';
    throw new SquidFailure(
      'BadAnswer',
      `${address} answered ${response.status} (${shown(type)}), which is not GraphQL.`,
    );
  }
  const { data, errors } = answer as { data?: unknown; errors?: unknown };
  const problem = shown(firstMessage(errors));
  if (response.status === 400) {
    throw new SquidFailure('OtherSchema', `${address} rejected a query: ${problem}`);
  }
  // Data may come with errors: a part that could not be resolved is null, which the shape check handles.
  if (!response.ok || data === null || data === undefined) {
    throw new SquidFailure('QueryFailed', `${address} failed to execute a query (${response.status}): ${problem}`);
  }
  return data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The message alone: the rest contains stack traces and paths. */
function firstMessage(errors: unknown): string {
  const [first] = Array.isArray(errors) ? errors : [];
  const message = (first as { message?: unknown } | undefined)?.message;
  return typeof message === 'string' ? message : 'no reason given';
}

/** On one line, shortened. */
const shown = (text: string): string => {
  const line = printable(text.slice(0, maxShown + 1));
  return line.length > maxShown ? `${line.slice(0, maxShown)}…` : line;
};

function noConnection(address: string, error: unknown): SquidFailure {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const why = codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new SquidFailure('NoConnection', `${address} cannot be reached: ${shown(why)}`);
}
