// Which copies are evicted first: greedy dual size frequency (GDSF), chosen by `npm run bench:eviction`.
import type { CopyRow } from './object-index.ts';

/**
 * How much more a large copy must be requested to stay. 1: copies are worth their requests per byte, which hits the most
 * objects; 0: their requests alone, which hits the most bytes. At 0.75 about as many objects are hit as by LRU-SP, and more bytes.
 */
export const sizeExponent = 0.75;

/**
 * The priority of a copy that has been used. Copies age because the clock is the priority of the last one evicted.
 * @param uses how often it was requested since it is here
 * @param exponent see `sizeExponent`
 */
export const priorityOf = (clock: number, uses: number, size: number, exponent = sizeExponent): number =>
  clock + uses / Math.max(1, size) ** exponent;

/** The row after further uses. */
export const usedCopy = (copy: CopyRow, times: number, clock: number, nowSec: number): CopyRow => {
  const uses = copy.uses + times;
  return { ...copy, uses, lastUseSec: nowSec, priority: priorityOf(clock, uses, copy.size) };
};
