// Proxies objects that are not stored, or ranges that have not arrived: bytes go from a source to the viewer, and nothing is kept.
import type { Readable } from 'node:stream';
import { answers } from '../../machines/answer.ts';
import type { Passage } from '../ipc/arrival.ts';
import { beginAsset, type Part, unknownType, wantedPart } from './asset-head.ts';
import { BodyWriter } from './body-writer.ts';
import { begin, refuseOverloaded } from './reply.ts';
import type { RequestContext } from './request-context.ts';
import { policyHeaders } from './untrusted-content.ts';

/** Bytes of an object at a source. */
export interface OpenedSource {
  /** Bytes of the whole object; null: not known. */
  readonly size: number | null;
  /** Exactly the bytes requested, or an error. */
  readonly body: Readable;
}

/**
 * Opens bytes `from` … `to` (inclusive; omitted: to the end) of the object at this URL.
 * Rejects if the source does not send exactly these bytes, or when the signal is aborted.
 */
export type OpenRange = (
  url: string,
  range: {
    readonly from: number;
    readonly to?: number;
    /** Bytes of the whole object; null: not known. */
    readonly size: number | null;
    readonly signal: AbortSignal;
  },
) => Promise<OpenedSource>;

/** An opened source and its first bytes: the head of the response is sent only after they have arrived. */
interface Begun {
  readonly size: number | null;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly first: Uint8Array;
  readonly body: Readable;
}

export class PassThrough {
  readonly #open: OpenRange;
  readonly #max: number;
  readonly #sent: (bytes: number) => void;
  #inProgress = 0;

  /** @param max responses at a time; further requests are refused */
  constructor(open: OpenRange, max: number, sent: (bytes: number) => void) {
    this.#open = open;
    this.#max = max;
    this.#sent = sent;
  }

  /**
   * @param passage `size` is that of the directory where it states one
   * @returns `unavailable`: no source has given a byte, and no response has been sent
   */
  async answer(context: RequestContext, passage: Passage): Promise<'answered' | 'unavailable'> {
    const { size, type } = passage;
    if (size !== null && !wantedPart(context, { size, hash: null })?.length) {
      beginAsset(context, 'pass', { size, type, hash: null });
      return 'answered';
    }
    if (this.#inProgress >= this.#max) {
      refuseOverloaded(context);
      return 'answered';
    }
    const aborting = new AbortController();
    context.res.once('close', () => aborting.abort());
    this.#inProgress += 1;
    try {
      for (const url of passage.urls) {
        if (context.res.destroyed) return 'answered';
        if (await this.#answerFrom(context, url, passage, aborting.signal)) return 'answered';
      }
      return context.res.destroyed ? 'answered' : 'unavailable';
    } finally {
      this.#inProgress -= 1;
      aborting.abort();
    }
  }

  /** @returns false: this source cannot give the bytes, and no response has been sent */
  async #answerFrom(
    context: RequestContext,
    url: string,
    { size, type }: Passage,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (size === null) return this.#answerUnmeasured(context, url, type, signal);
    const part = wantedPart(context, { size, hash: null });
    const begun = part && (await this.#begin(url, part, size, signal));
    if (!begun) return false;
    await context.gate();
    beginAsset(context, 'pass', { size, type, hash: null });
    await this.#send(context, begun, part.length);
    return true;
  }

  /** The directory states no size, so the size at the source decides which bytes are sent. */
  async #answerUnmeasured(
    context: RequestContext,
    url: string,
    type: string | null,
    signal: AbortSignal,
  ): Promise<boolean> {
    const begun = await this.#begin(url, { start: 0, length: Number.POSITIVE_INFINITY }, null, signal);
    if (begun === null) return false;
    const { size } = begun;
    const part = size === null ? null : wantedPart(context, { size, hash: null });
    if (part?.start === 0 && part.length === size) {
      await context.gate();
      beginAsset(context, 'pass', { size, type, hash: null });
      await this.#send(context, begun, part.length);
      return true;
    }
    if (size !== null) {
      begun.body.destroy();
      if (part) return this.#answerFrom(context, url, { urls: [url], size, type }, signal);
      beginAsset(context, 'pass', { size, type, hash: null });
      return true;
    }
    await context.gate();
    context.cache = 'pass';
    // Without a length, the body is chunked: a cut response lacks the last chunk. Ranges are not possible.
    const mime = type ?? unknownType;
    begin(context, 200, { ...answers.pass.headers, ...policyHeaders(mime), 'Content-Type': mime });
    if (context.req.method === 'HEAD') {
      begun.body.destroy();
      context.res.end();
    } else await this.#send(context, begun, null);
    return true;
  }

  async #begin(url: string, { start, length }: Part, size: number | null, signal: AbortSignal): Promise<Begun | null> {
    let body: Readable | null = null;
    try {
      const end = start + length - 1;
      const opened = await this.#open(url, { from: start, size, signal, ...(size !== null && { to: end }) });
      body = opened.body.on('error', () => {});
      if (size !== null && opened.size !== null && opened.size !== size)
        throw new Error('The source has another object');
      const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      const { value: first = new Uint8Array(0), done } = await chunks.next();
      if (done && size !== null) throw new Error('The source sends no bytes');
      return { size: opened.size, chunks, first, body };
    } catch {
      // The next source may work. Failures of sources are reported by the content process.
      body?.destroy();
      return null;
    }
  }

  /** @param length bytes of the response; null: all that arrive. A response with fewer or more bytes is cut */
  async #send(context: RequestContext, { first, chunks, body }: Begun, length: number | null): Promise<void> {
    const { res } = context;
    const writer = new BodyWriter(context, this.#sent);
    context.bytesLeft = length ?? 0;
    try {
      let left = length ?? Number.POSITIVE_INFINITY;
      for (let chunk: Uint8Array | null = first; chunk !== null && !res.destroyed; ) {
        if (chunk.length > left) return void res.destroy();
        left -= chunk.length;
        if (chunk.length > 0) await writer.write(chunk);
        const next: IteratorResult<Uint8Array> | null = left > 0 ? await chunks.next() : null;
        chunk = next === null || next.done ? null : next.value;
      }
      if (length !== null && left > 0) res.destroy();
      else res.end();
    } catch {
      res.destroy();
    } finally {
      body.destroy();
    }
  }
}
