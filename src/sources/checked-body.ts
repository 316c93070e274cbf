// The body of an answer as a stream of exactly the expected length, which fails if the source sends too little, too much or too slowly.
import { Readable } from 'node:stream';
import { monotonicMs } from '../base/monotonic.ts';
import { faultOf, SourceFault, wrongAnswer } from './source-fault.ts';

export interface BodyOptions {
  /** Bytes; null: not known. */
  readonly length: number | null;
  /** Time in which `leastBytes` bytes, or the rest, must arrive. Time in which nothing is read does not count. */
  readonly stallTimeoutMs: number;
  /** Destroys the body with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** Minimum progress per window, so that a source that trickles bytes is noticed. */
const leastBytes = 16_384;
/** Buffered for a reader that pauses, so that the source is not paused and resumed for each chunk. */
const heldBytes = 131_072;

/** @param source its errors are handled here */
export function checkedBody(source: Readable, { length, stallTimeoutMs, signal, onBytes }: BodyOptions): Readable {
  let received = 0;
  /** Since the start of the window: bytes received, and time spent waiting for bytes. */
  let bytes = 0;
  let waitedMs = 0;
  let waitingSinceMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;

  const onStall = () => {
    const problem = bytes === 0 ? 'has sent nothing' : `has sent only ${bytes} bytes`;
    body.destroy(new SourceFault('failed', 'NoAnswer', `${problem} for ${stallTimeoutMs} ms`));
  };
  const onAbort = () => void body.destroy(signal.reason);

  function resume(): void {
    if (waitingSinceMs !== null) return;
    waitingSinceMs = monotonicMs();
    timer = setTimeout(onStall, Math.max(0, stallTimeoutMs - waitedMs));
    source.resume();
  }

  function pause(): void {
    if (waitingSinceMs === null) return;
    waitedMs += monotonicMs() - waitingSinceMs;
    waitingSinceMs = null;
    clearTimeout(timer);
    source.pause();
  }

  function newWindow(): void {
    bytes = 0;
    waitedMs = 0;
    if (waitingSinceMs === null) return;
    waitingSinceMs = monotonicMs();
    clearTimeout(timer);
    timer = setTimeout(onStall, stallTimeoutMs);
  }

  const body = new Readable({
    highWaterMark: heldBytes,
    read: resume,
    destroy: (error, callback) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      source.destroy();
      callback(error);
    },
  });

  source.on('data', (chunk: Buffer) => {
    if (body.destroyed) return;
    received += chunk.length;
    if (length !== null && received > length) {
      body.destroy(wrongAnswer(`sends more than the ${length} bytes requested`));
      return;
    }
    onBytes(chunk.length);
    bytes += chunk.length;
    if (bytes >= leastBytes) newWindow();
    if (!body.push(chunk)) pause();
  });
  source.on('end', () => {
    if (length === null || received === length) body.push(null);
    else body.destroy(new SourceFault('failed', 'BadAnswer', `ends after ${received} of ${length} bytes`));
  });
  source.on('error', (error) => void body.destroy(faultOf(error)));
  source.on('close', () => {
    if (!source.readableEnded) body.destroy(new SourceFault('failed', 'BadAnswer', 'has cut the answer'));
  });
  source.pause();
  // The body may fail before it has a reader; the reader then gets the error.
  body.on('error', () => {});
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  return body;
}
