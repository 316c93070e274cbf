// Which copies are evicted first: greedy dual size frequency (GDSF), chosen by `npm run bench:eviction`.
import type { CopyRow } from './object-index.ts';

/**
 * How much a large copy must be requested to stay. 1: copies are worth their requests per byte, which keeps the most objects.
 * 0: their requests alone, which saves the most bytes.
 */
export const sizeExponent = 0.5;

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
