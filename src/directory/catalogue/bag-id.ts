// Objects in the same buckets form one bag; its id is derived from the set of buckets.
import { createHash } from 'node:crypto';

/** The longest id that the index accepts. */
const maxBytes = 500;

/** @returns the buckets in a fixed order, without duplicates */
export const bucketSet = (buckets: readonly string[]): readonly string[] =>
  buckets.length < 2 ? buckets : [...new Set(buckets)].sort();

/** @param buckets as `bucketSet` returns them */
export function bagId(buckets: readonly string[]): string {
  const text = JSON.stringify(buckets);
  return Buffer.byteLength(text) <= maxBytes ? text : createHash('sha256').update(text).digest('hex');
}
