// The body of an answer as a stream that has exactly the expected length, and ends when the source does not send enough.
import { Readable } from 'node:stream';
import { monotonicMs } from '../base/monotonic.ts';
import { faultOf, SourceFault, wrongAnswer } from './source-fault.ts';

export interface BodyOptions {
  /** Bytes; null: not known. */
  readonly length: number | null;
  /** So many bytes as `leastBytes`, or the rest, must arrive within it. Time in which nothing is read does not count. */
  readonly stallTimeoutMs: number;
  /** Ends it with the signal's reason. */
  readonly signal: AbortSignal;
  readonly onBytes: (bytes: number) => void;
}

/** A source that drips must be noticed too. */
const leastBytes = 16_384;
/** Held for a reader that pauses: the source is not stopped and started for every piece. */
const heldBytes = 131_072;

/** @param source its errors need no other listener */
export function checkedBody(source: Readable, { length, stallTimeoutMs, signal, onBytes }: BodyOptions): Readable {
  let received = 0;
  /** Since the window began: bytes, and time in which bytes were wanted. */
  let bytes = 0;
  let waitedMs = 0;
  let wantedSinceMs: number | null = null;
  let timer: NodeJS.Timeout | undefined;

  const onStall = () => {
    const words = bytes === 0 ? 'has sent nothing' : `has sent only ${bytes} bytes`;
    body.destroy(new SourceFault('failed', 'NoAnswer', `${words} for ${stallTimeoutMs} ms`));
  };
  const onAbort = () => void body.destroy(signal.reason);

  function want(): void {
    if (wantedSinceMs !== null) return;
    wantedSinceMs = monotonicMs();
    timer = setTimeout(onStall, Math.max(0, stallTimeoutMs - waitedMs));
    source.resume();
  }

  function rest(): void {
    if (wantedSinceMs === null) return;
    waitedMs += monotonicMs() - wantedSinceMs;
    wantedSinceMs = null;
    clearTimeout(timer);
    source.pause();
  }

  function newWindow(): void {
    bytes = 0;
    waitedMs = 0;
    if (wantedSinceMs === null) return;
    wantedSinceMs = monotonicMs();
    clearTimeout(timer);
    timer = setTimeout(onStall, stallTimeoutMs);
  }

  const body = new Readable({
    highWaterMark: heldBytes,
    read: want,
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
    if (!body.push(chunk)) rest();
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
  // It may fail before it has a reader, who then finds the error.
  body.on('error', () => {});
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  return body;
}
