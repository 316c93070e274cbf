// Sources in memory: a test says what each object's bytes are, and how they come.
import { Readable } from 'node:stream';
import type { Condition } from '../../src/base/condition.ts';
import { openBytesHasher } from '../../src/base/content-hash.ts';
import { type Fetched, type SourceObject, type Sources, SourcesFailed } from '../../src/sources/source.ts';

export interface Fetching {
  readonly id: string;
  readonly from: number;
  readonly tag: string | null;
}

/** How one fetch goes. */
export interface Script {
  /** Default: the object's own. */
  readonly bytes?: Buffer;
  /** Default: their number. */
  readonly size?: number | null;
  readonly tag?: string | null;
  readonly source?: string;
  /** Sends so many bytes, then waits for `gate`, then goes on. */
  readonly pauseAt?: number;
  readonly gate?: Promise<void>;
  /** Sends so many bytes, then fails. */
  readonly failAt?: number;
  /** Before anything is opened. */
  readonly opening?: Promise<void>;
}

const pieceBytes = 65_536;

export class MemorySources implements Sources {
  readonly objects = new Map<string, Buffer>();
  /** Fetches of an object take these one after another, then plain ones. */
  readonly scripts = new Map<string, Script[]>();
  readonly fetched: Fetching[] = [];
  readonly bad: { readonly source: string; readonly why: string }[] = [];
  readonly conditions: readonly Condition[] = [];
  readonly metrics = [];
  /** Bodies that are open now, and the most at a time. */
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

/** Waits, and ends with the signal. */
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

/** Different bytes for each id, the same every time. */
export function bytesOf(id: string, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = Number(id) * 2_654_435_761 + 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
