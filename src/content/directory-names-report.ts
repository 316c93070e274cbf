// The buckets and workers of the directory, bounded, for the control process.
import type { DirectoryNames } from '../ipc/content-messages.ts';
import type { ObjectIndex } from '../store/object-index.ts';

/** Buckets and the workers of each. The network has hundreds; a catalogue may have as many as objects, and then they are not all sent. */
const maxNames = 20_000;

export function directoryNames(index: Pick<ObjectIndex, 'buckets' | 'summary'>): DirectoryNames {
  const named: [string, readonly number[]][] = [];
  let count = 0;
  let isComplete = index.summary.readAt !== null;
  for (const [id, { workers }] of index.buckets()) {
    count += 1 + workers.length;
    if (count > maxNames) {
      isComplete = false;
      break;
    }
    named.push([id, workers]);
  }
  // Also a bucket named `__proto__` becomes a key.
  return { bucketWorkers: Object.fromEntries(named), isComplete };
}
