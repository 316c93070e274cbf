// Which copies are evicted first: greedy dual size frequency (GDSF), chosen by `npm run bench:eviction`.
import type { CopyRow } from './object-index.ts';

/**
 * How much more often a large copy must be requested to stay. 1: copies are ranked by requests per byte, for the best object
 * hit rate; 0: by requests alone, for the best byte hit rate. 0.75 has about the object hit rate of LRU-SP, and a better byte
 * hit rate.
 */
export const sizeExponent = 0.75;

/**
 * The priority of a copy after a use. Copies age because the clock is the priority of the last evicted copy.
 * @param uses number of requests since the copy was stored
 * @param exponent see `sizeExponent`
 */
export const priorityOf = (clock: number, uses: number, size: number, exponent = sizeExponent): number =>
  clock + uses / Math.max(1, size) ** exponent;

/** The row after further uses. */
export const usedCopy = (copy: CopyRow, times: number, clock: number, nowSec: number): CopyRow => {
  const uses = copy.uses + times;
  return { ...copy, uses, lastUseSec: nowSec, priority: priorityOf(clock, uses, copy.size) };
};
