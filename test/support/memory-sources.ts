// Sources in memory: a test sets the bytes of each object, and how they arrive.
import { Readable } from 'node:stream';
import type { Condition } from '../../src/base/condition.ts';
import { openBytesHasher } from '../../src/base/content-hash.ts';
import { type Fetched, type SourceObject, type Sources, SourcesFailed } from '../../src/sources/source.ts';

export interface Fetching {
  readonly id: string;
  readonly from: number;
  readonly tag: string | null;
}

/** How one fetch behaves. */
export interface Script {
  /** Default: the bytes of the object. */
  readonly bytes?: Buffer;
  /** Default: the length of the bytes. */
  readonly size?: number | null;
  readonly tag?: string | null;
  readonly source?: string;
  /** Sends this many bytes, waits for `gate`, then continues. */
  readonly pauseAt?: number;
  readonly gate?: Promise<void>;
  /** Sends this many bytes, then fails. */
  readonly failAt?: number;
  /** Settles before the body is opened. */
  readonly opening?: Promise<void>;
}

const pieceBytes = 65_536;

export class MemorySources implements Sources {
  readonly objects = new Map<string, Buffer>();
  /** By object: each fetch takes the next script; without one, it succeeds. */
  readonly scripts = new Map<string, Script[]>();
  readonly fetched: Fetching[] = [];
  readonly bad: { readonly source: string; readonly why: string }[] = [];
  readonly conditions: readonly Condition[] = [];
  readonly metrics = [];
  /** Number of open bodies, and its maximum. */
  open = 0;
  mostOpen = 0;

  start(): void {}

  async stop(): Promise<void> {}

  subscribe(): () => void {
    return () => {};
  }

  urls({ id, origin }: SourceObject): readonly string[] {
    return origin.kind === 'url' ? [origin.url] : origin.endpoints.map((one) => `${one}/api/v1/files/${id}`);
  }

  reportBad(source: string, why: string): void {
    this.bad.push({ source, why });
  }

  async fetch({ id, size }: SourceObject, { from, tag, signal }: Parameters<Sources['fetch']>[1]): Promise<Fetched> {
    this.fetched.push({ id, from, tag: tag ?? null });
    const script = this.scripts.get(id)?.shift() ?? {};
    const bytes = script.bytes ?? this.objects.get(id);
    await aborted(script.opening, signal);
    if (bytes === undefined) throw new SourcesFailed(`no source has object ${id}`, true);
    const body = Readable.from(this.#pieces(bytes, from, script, signal), { objectMode: false });
    body.on('error', () => {});
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    body.once('close', () => {
      this.open -= 1;
    });
    const stated = script.size === undefined ? bytes.length : script.size;
    return { source: script.source ?? 'memory', size: size ?? stated, tag: script.tag ?? null, body };
  }

  async *#pieces(bytes: Buffer, from: number, { pauseAt, gate, failAt }: Script, signal: AbortSignal) {
    for (let at = from; at < bytes.length; ) {
      if (pauseAt === at) await aborted(gate, signal);
      if (failAt === at) throw new Error('The source has ended early');
      const stops = [pauseAt, failAt].filter((one): one is number => one !== undefined && one > at);
      const end = Math.min(at + pieceBytes, bytes.length, ...stops);
      yield bytes.subarray(at, end);
      at = end;
    }
    if (failAt === bytes.length) throw new Error('The source has ended early');
  }
}

/** Waits; rejects when the signal is aborted. */
async function aborted(wait: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (wait === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    void wait.then(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
  });
}

/** Content hash of these bytes. */
export async function hashOfBytes(bytes: Uint8Array): Promise<string> {
  const hasher = await openBytesHasher();
  hasher.update(bytes);
  return hasher.hash();
}

/** Pseudorandom bytes that depend only on the id. */
export function bytesOf(id: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = Number(id) * 2_654_435_761 + 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
