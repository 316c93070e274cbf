// The buckets and workers of the directory, bounded, for the control process.
import type { DirectoryNames } from '../ipc/content-messages.ts';
import type { ObjectIndex } from '../store/object-index.ts';

/** The network has hundreds. A catalogue may have as many buckets as objects; then only some are sent. */
const maxBuckets = 10_000;

export function directoryNames(index: Pick<ObjectIndex, 'buckets' | 'summary'>): DirectoryNames {
  const bucketWorkers: Record<string, readonly number[]> = {};
  let count = 0;
  for (const [id, { workers }] of index.buckets()) {
    if (count === maxBuckets) return { bucketWorkers, isComplete: false };
    bucketWorkers[id] = workers;
    count += 1;
  }
  return { bucketWorkers, isComplete: index.summary.readAt !== null };
}
