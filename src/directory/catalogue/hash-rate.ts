// Limits the bytes per second that are read to hash files.
import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../../base/monotonic.ts';

/**
 * @param bytesPerSec 0: no limit
 * @param signal ends a pause, with its reason
 * @returns a function that is called after each read, and resolves when the next one may begin
 */
export function limitHashRate(bytesPerSec: number, signal: AbortSignal): (bytes: number) => Promise<void> {
  /** When everything read so far would have been read at exactly this rate. */
  let dueAt = 0;
  return async (bytes) => {
    if (bytesPerSec === 0) return;
    dueAt = Math.max(dueAt, monotonicMs()) + (1000 * bytes) / bytesPerSec;
    const pauseMs = dueAt - monotonicMs();
    // A timer takes whole milliseconds; less is made up for later.
    if (pauseMs >= 1) await sleep(pauseMs, undefined, { signal });
  };
}
