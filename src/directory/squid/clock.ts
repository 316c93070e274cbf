// The clock of the squid directory; tests inject their own.
import { setTimeout as timeout } from 'node:timers/promises';
import { monotonicMs } from '../../base/monotonic.ts';

export interface Clock {
  /** For durations. */
  monotonicMs(): number;
  /** ISO 8601. */
  now(): string;
  /** Resolves after this time, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  monotonicMs,
  now: () => new Date().toISOString(),
  sleep: (ms, signal) => timeout(ms, undefined, { signal }).catch(() => {}),
};
