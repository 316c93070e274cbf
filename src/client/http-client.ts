// The HTTP client of the operator API: signs each request, and classifies failures.
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import type { CommandName } from '../../machines/commands.ts';
import { codeOf, messageOf, NotReachable, TimedOut } from '../base/errors.ts';
import { withoutLastSlashes } from '../base/http-url.ts';
import { longestBodyInToken, requestTokenLifetimeSec } from '../base/signing-rules.ts';
import { sha256, signRequestToken } from './sign-token.ts';

export interface ClientOptions {
  /** Base URL: `http://localhost:3335`. */
  readonly url: string;
  /** Signs a request token for each call; or `token`, an access token, is sent with every one. */
  readonly secret?: Uint8Array;
  readonly token?: string;
  /** Name of the operator for the audit log. */
  readonly sub?: string;
  /** Timeout of an answer. */
  readonly timeoutMs: number;
  readonly now?: () => number;
}

/** Any answer of the node. */
export interface Answer {
  readonly status: number;
  /** The JSON of the answer: a state or a problem document; null if not JSON. */
  readonly document: unknown;
}

export interface SignedRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface OperatorClient {
  /** @throws {NotReachable | TimedOut} */
  command(name: CommandName, body?: object, options?: CommandModifiers): Promise<Answer>;
  /** @throws {NotReachable | TimedOut} */
  state(): Promise<Answer>;
  /**
   * Opens one event stream, the body of the response.
   * @param lastEventId resume after this event; '': do not resume
   * @throws {NotReachable | TimedOut}
   */
  events(lastEventId: string, signal: AbortSignal): Promise<Response>;
  /** Signs a request without sending it. */
  signRequest(method: 'GET' | 'POST', path: string, body?: object): Promise<SignedRequest>;
  /**
   * Sends a signed request.
   * @throws {NotReachable | TimedOut}
   */
  send(request: SignedRequest): Promise<Answer>;
}

export interface CommandModifiers {
  /** Preview the command. */
  readonly dryRun?: boolean | undefined;
  /** Value of `If-Match`: refuse the command if the state has changed. */
  readonly ifMatch?: string | undefined;
}

/**
 * Keeps no connection: each call is a separate request.
 * @throws {TypeError} from its calls, without secret and token
 */
export function createClient(options: ClientOptions): OperatorClient {
  const { secret, token, sub, timeoutMs, now = Date.now } = options;
  const base = withoutLastSlashes(options.url);

  async function bearer(url: string, body: object | undefined, text: string): Promise<string> {
    if (token !== undefined) return token;
    if (secret === undefined) throw new TypeError('A client needs a secret or a token');
    const bound = text.length > longestBodyInToken ? { reqBodyHash: sha256(text) } : { reqBody: body ?? {} };
    const nowMs = now();
    const exp = Math.floor(nowMs / 1000) + requestTokenLifetimeSec;
    const { pathname, search } = new URL(url);
    const claims = { reqUrl: pathname + search, ...bound, exp, jti: randomUUID() };
    return signRequestToken(secret, sub === undefined ? claims : { ...claims, sub }, nowMs);
  }

  async function signRequest(method: 'GET' | 'POST', path: string, body?: object): Promise<SignedRequest> {
    const url = `${base}/api/v1/${path}`;
    const text = method === 'GET' ? '' : JSON.stringify(body ?? {});
    const authorization = `Bearer ${await bearer(url, body, text)}`;
    if (method === 'GET') return { url, method, headers: { authorization } };
    return { url, method, headers: { authorization, 'content-type': 'application/json' }, body: text };
  }

  async function send(request: SignedRequest): Promise<Answer> {
    const late = AbortSignal.timeout(timeoutMs);
    try {
      const response = await ask(request, late);
      return { status: response.statusCode ?? 0, document: parsed(await textOf(response)) };
    } catch (error) {
      throw failureOf(late.aborted ? late.reason : error);
    }
  }

  async function openEvents(lastEventId: string, signal: AbortSignal): Promise<Response> {
    const { url, ...request } = await signRequest('GET', 'events');
    const place: Record<string, string> = lastEventId === '' ? {} : { 'last-event-id': lastEventId };
    const headers = { ...request.headers, ...place };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException('', 'TimeoutError')), timeoutMs);
    try {
      return await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.any([signal, late.signal]) });
    } catch (error) {
      throw failureOf(error);
    } finally {
      clearTimeout(timer);
    }
  }

  function failureOf(error: unknown): Error {
    if (error instanceof Error && error.name === 'TimeoutError') {
      return new TimedOut(`No answer from ${base} within ${timeoutMs} ms`, { cause: error });
    }
    if (codeOf(error) === 'ECONNRESET') {
      const words = `${base} closed the connection before it had answered; a command may have been carried out all the same`;
      return new NotReachable(words, { cause: error });
    }
    return new NotReachable(`${base} is not reachable: ${whyUnreachable(error)}`, { cause: error });
  }

  return {
    command: async (name, body, { dryRun = false, ifMatch } = {}) => {
      const request = await signRequest('POST', dryRun ? `${name}?dryRun=true` : name, body);
      const headers = ifMatch === undefined ? request.headers : { ...request.headers, 'if-match': ifMatch };
      return send({ ...request, headers });
    },
    state: async () => send(await signRequest('GET', 'state')),
    events: openEvents,
    signRequest,
    send,
  };
}

/**
 * Not `fetch`, which times out after five minutes: a stop takes as long as its lame duck.
 * Does not follow redirects, which would leak the token.
 */
function ask({ url, body, ...options }: SignedRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    request(url, { ...options, agent: false, signal })
      .on('error', reject)
      .on('response', resolve)
      // Closed without a response, as after an unrequested 101.
      .on('close', () => reject(new Error('it gave no answer')))
      .end(body);
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The message of `fetch` is always "fetch failed"; the reason is its cause, or one cause per address. */
function whyUnreachable(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.map(messageOf).join('; ');
  return messageOf(cause) || (codeOf(cause) ?? 'unknown error');
}
