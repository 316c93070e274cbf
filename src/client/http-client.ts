// The HTTP client of the operator API: signs each request with a token of its own, and tells apart how a call can fail.
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
  /** Where the API is: `http://localhost:3335`. */
  readonly url: string;
  /** Signs a request token for each call; or `token`, an access token, is sent with every one. */
  readonly secret?: Uint8Array;
  readonly token?: string;
  /** Who the audit log shall name. */
  readonly sub?: string;
  /** How long an answer may take. */
  readonly timeoutMs: number;
  readonly now?: () => number;
}

/** What the node answered, whatever it was. */
export interface Answer {
  readonly status: number;
  /** The JSON of the answer: a state or a problem document; null where it was not JSON. */
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
  command(name: CommandName, body?: object, wishes?: CommandWishes): Promise<Answer>;
  /** @throws {NotReachable | TimedOut} */
  state(): Promise<Answer>;
  /**
   * One stream of events, to be read from the answer's body.
   * @param lastEventId where to go on; '': from now on
   * @throws {NotReachable | TimedOut}
   */
  events(lastEventId: string, signal: AbortSignal): Promise<Response>;
  /** The request that `command` or `state` would send, not sent. */
  signRequest(method: 'GET' | 'POST', path: string, body?: object): Promise<SignedRequest>;
  /**
   * Send one that was signed before.
   * @throws {NotReachable | TimedOut}
   */
  send(request: SignedRequest): Promise<Answer>;
}

export interface CommandWishes {
  /** Say what would happen, and do nothing. */
  readonly dryRun?: boolean | undefined;
  /** `If-Match`, as it is to be sent: only if the state has not moved on. */
  readonly ifMatch?: string | undefined;
}

/**
 * Opens nothing: each call is a request of its own.
 * @throws {TypeError} from its calls, where it was given neither secret nor token
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
 * Not `fetch`, which gives up after five minutes: a stop takes as long as its lame duck.
 * A token is for this node alone: it does not follow a redirect.
 */
function ask({ url, body, ...options }: SignedRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    request(url, { ...options, agent: false, signal })
      .on('error', reject)
      .on('response', resolve)
      // Where it was no response either, as after a 101 that nobody asked for.
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

/** `fetch` itself only says "fetch failed"; what failed is its cause, or one for each address that was tried. */
function whyUnreachable(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.map(messageOf).join('; ');
  return messageOf(cause) || (codeOf(cause) ?? 'unknown error');
}
