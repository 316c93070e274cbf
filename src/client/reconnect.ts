// Reads an event stream across reconnections: resume, silence, back-off. Runs in Node and in the browser, so it imports nothing.
import type { EventParser, ReceivedEvent } from './event-parser.ts';

export interface ReconnectOptions {
  /** Opens one connection, and rejects any answer that is not a stream. */
  readonly open: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
  readonly parser: EventParser;
  /** Ends the events, without an error. */
  readonly signal: AbortSignal;
  /** Called when data arrives, including heartbeats. */
  readonly onData?: () => void;
  /**
   * Called after each connection or attempt. It gives up by throwing.
   * @returns a promise that ends the pause early
   */
  readonly onLost: (lost: Lost) => Promise<void> | void;
}

export interface Lost {
  /** Null: the node closed the connection. */
  readonly error: unknown;
  /** Attempts without an event since the last one. */
  readonly failures: number;
  readonly pauseMs: number;
}

/** Metrics arrive every second: after this long without data the connection is dead. */
const longestSilenceMs = 15_000;
const firstPauseMs = 500;
const longestPauseMs = 10_000;

export async function* reconnecting(options: ReconnectOptions): AsyncGenerator<ReceivedEvent> {
  const { open, parser, signal, onData, onLost } = options;
  for (let failures = 0; !signal.aborted; ) {
    const attempt = new AbortController();
    const abort = () => attempt.abort();
    signal.addEventListener('abort', abort, { once: true });
    let silence: ReturnType<typeof setTimeout> | undefined;
    const onSign = () => {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(new Error('no data from the node')), longestSilenceMs);
      onData?.();
    };
    let error: unknown = null;
    try {
      const { body } = await open(parser.lastEventId, attempt.signal);
      parser.reset();
      onSign();
      const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
        onSign();
        for (const event of parser.push(part.value)) {
          failures = 0;
          yield event;
        }
      }
    } catch (thrown) {
      error = thrown;
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', abort);
      attempt.abort();
    }
    if (signal.aborted) return;
    failures += 1;
    const firstMs = Math.min(parser.retryMs ?? firstPauseMs, longestPauseMs);
    // Jitter, so that clients do not reconnect at the same time.
    const pauseMs = Math.min(firstMs * 2 ** (failures - 1), longestPauseMs) * (0.75 + Math.random() / 4);
    const early = onLost({ error, failures, pauseMs });
    await pause(pauseMs, signal, early);
  }
}

function pause(ms: number, signal: AbortSignal, early: Promise<void> | void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    void early?.then(done);
    if (signal.aborted) done();
  });
}
