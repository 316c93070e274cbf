// What settings mean for the directory in the index: dry runs, the buckets of a worker, and buckets it does not know.
import { type CoverageChange, coverageChange as compareBags } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import type { ObjectIndex } from './object-index.ts';
import { isAccepted } from './object-sums.ts';

const noWorkers: readonly number[] = [];
const natural = new Intl.Collator('en', { numeric: true });

/**
 * Which objects the change drops and gains, from the sums of each bag.
 * @param maxIds how many ids of dropped and of gained objects the result lists
 */
export function coverageChange(index: ObjectIndex, before: Settings, after: Settings, maxIds: number): CoverageChange {
  const workers = new Map<string, readonly number[]>();
  for (const [id, bucket] of index.buckets()) workers.set(id, bucket.workers);
  return compareBags({
    bags: index.bags(),
    objectsOf: (bag) => acceptedObjects(index, bag),
    workersOf: (bucket) => workers.get(bucket) ?? noWorkers,
    ...{ before, after, maxIds },
  });
}

function* acceptedObjects(index: ObjectIndex, bag: string): Generator<string> {
  for (const id of index.objectsOfBag(bag)) {
    const row = index.object(id);
    if (row !== undefined && isAccepted(row)) yield id;
  }
}

/** Ids of the buckets that the worker actively distributes, in natural order: `1:2` before `1:10`. */
export function bucketsOf(index: ObjectIndex, workerId: number): string[] {
  const ids: string[] = [];
  for (const [id, { workers }] of index.buckets()) if (workers.includes(workerId)) ids.push(id);
  return ids.sort(natural.compare);
}

/** Those of these buckets that the directory does not know, in the given order. */
export const unknownBuckets = (index: ObjectIndex, buckets: readonly string[]): string[] =>
  buckets.filter((id) => index.bucket(id) === undefined);
