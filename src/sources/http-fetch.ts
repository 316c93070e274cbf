// One guarded request to a source: only public addresses, bounded in time and size, and an answer with exactly the requested bytes.
import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { codeOf } from '../base/errors.ts';
import { version } from '../base/version.ts';
import { checkedBody } from './checked-body.ts';
import { agentFor, type Network, networkOf } from './network.ts';
import { headOf, rangeOf } from './range-answer.ts';
import { faultOf, SourceFault, statusFault, wrongAnswer } from './source-fault.ts';

export interface FetchLimits {
  readonly allowPrivateAddresses: boolean;
  /** From the request to the end of the head, connection and redirects included. */
  readonly requestTimeoutMs: number;
  /** Deadline for each 16 KiB of the body, or the rest of it, while it is read. */
  readonly stallTimeoutMs: number;
  /** For tests. */
  readonly network?: Network;
}

export interface RangeRequest extends FetchLimits {
  /** Offset of the first byte. */
  readonly from: number;
  /** Offset of the last byte; omitted: to the end. */
  readonly to?: number | undefined;
  /** Bytes of the whole object; null: not known, so the source decides. */
  readonly size: number | null;
  /** The validator (ETag) that the object must still have. */
  readonly tag?: string | null | undefined;
  /** Maximum number of redirects, each of them checked; omitted: 3. */
  readonly maxRedirects?: number;
  readonly signal: AbortSignal;
  /** Called with the size of each chunk that arrives. */
  readonly onBytes?: (bytes: number) => void;
}

export interface OpenedRange {
  /** Bytes of the whole object; null: the source does not say either. */
  readonly size: number | null;
  /** Content-Type as the source states it: untrusted. */
  readonly type: string | null;
  /** Strong ETag; null: none. */
  readonly tag: string | null;
  /** Exactly the bytes requested, or an error: {SourceFault}, or the signal's reason. */
  readonly body: Readable;
}

/** The source may just have closed an idle connection: the request is sent once more, on a new connection. */
const closedCodes = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const maxUrlLength = 8192;

type Answer = Dispatcher.ResponseData;

/**
 * Opens a range of an object, or all of it. Depends only on its arguments, so every process may use it.
 * @throws {SourceFault}; the signal's reason when it is aborted; RangeError for a range outside the object
 */
export async function openRange(url: string, request: RangeRequest): Promise<OpenedRange> {
  const { from, to, size, tag = null, stallTimeoutMs, signal, onBytes = () => {} } = request;
  const range = rangeOf(from, to, size);
  const headers: Record<string, string> = range === 'whole' ? {} : { range: `bytes=${range.from}-${range.last ?? ''}` };
  const { head, body } = await ask('GET', url, headers, request, (answer) => headOf(answer, range, { size, tag }));
  const { length, ...stated } = head;
  return { ...stated, body: checkedBody(body, { length, stallTimeoutMs, signal, onBytes }) };
}

/**
 * Whether a URL is answered with 200; the body is not read.
 * @returns false for 404 and 410
 * @throws {SourceFault}; the signal's reason when it is aborted
 */
export async function isThere(
  method: 'HEAD' | 'GET',
  url: string,
  request: FetchLimits & Pick<RangeRequest, 'maxRedirects' | 'signal'>,
): Promise<boolean> {
  try {
    const { body } = await ask(method, url, {}, request, statusIsGood);
    discard(body);
    return true;
  } catch (error) {
    if (error instanceof SourceFault && error.kind === 'absent') return false;
    throw error;
  }
}

/** @throws {SourceFault} for every status except 200 */
function statusIsGood({ statusCode }: Answer): void {
  if (statusCode !== 200) throw statusFault(statusCode);
}

/**
 * Sends a request, follows redirects as far as allowed, and passes the head to `judge`.
 * @param judge throws if the head is wrong
 */
async function ask<T>(
  method: 'HEAD' | 'GET',
  url: string,
  headers: Readonly<Record<string, string>>,
  request: FetchLimits & Pick<RangeRequest, 'maxRedirects' | 'signal'>,
  judge: (answer: Answer) => T,
): Promise<{ readonly head: T; readonly body: Readable }> {
  const { allowPrivateAddresses, network = networkOf(allowPrivateAddresses), requestTimeoutMs, signal } = request;
  const { maxRedirects = 3 } = request;
  signal.throwIfAborted();
  const controller = new AbortController();
  const late = new SourceFault('failed', 'NoAnswer', `has not answered within ${requestTimeoutMs} ms`);
  const timer = setTimeout(() => controller.abort(late), requestTimeoutMs);
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    let target = checkedUrl(url);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await send(agentFor(network), method, target, headers, controller.signal);
      try {
        const next = redirectOf(answer, target);
        if (next === null) return { head: judge(answer), body: answer.body };
        if (redirects >= maxRedirects) throw wrongAnswer('redirects');
        target = next;
        discard(answer.body);
      } catch (error) {
        discard(answer.body);
        throw error;
      }
    }
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    throw faultOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

async function send(
  agent: Agent,
  method: 'HEAD' | 'GET',
  { origin, pathname, search }: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Answer> {
  const request = {
    ...{ origin, path: `${pathname}${search}`, method, signal },
    headers: { 'accept-encoding': 'identity', 'user-agent': `distributor-node/${version}`, ...headers },
  };
  try {
    return await agent.request(request);
  } catch (error) {
    if (signal.aborted || !closedCodes.has(codeOf(error) ?? '')) throw error;
    return await agent.request(request);
  }
}

/** Closes the connection. */
const discard = (body: Readable): void => void body.on('error', () => {}).destroy();

/** @throws {SourceFault} */
function checkedUrl(text: string, base?: URL): URL {
  const isUrl = text.length <= maxUrlLength && URL.canParse(text, base?.href);
  const url = isUrl ? new URL(text, base) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new SourceFault('wrong', 'NotAllowed', 'has an address that is not a plain http or https URL');
  }
  return url;
}

/** @returns null: the answer is not a redirect @throws {SourceFault} */
function redirectOf({ statusCode, headers }: Answer, from: URL): URL | null {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return null;
  if (typeof headers.location !== 'string') throw wrongAnswer('redirects without a target');
  const to = checkedUrl(headers.location, from);
  if (from.protocol === 'https:' && to.protocol === 'http:') throw wrongAnswer('redirects from https to http');
  return to;
}
