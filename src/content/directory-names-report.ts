// The buckets and workers of the directory, bounded, for the control process.
import type { DirectoryNames } from '../ipc/content-messages.ts';
import type { ObjectIndex } from '../store/object-index.ts';

/** Maximum number of buckets and workers sent. The network has hundreds; a catalogue may have as many as objects. */
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
  // `fromEntries` also makes a key of a bucket named `__proto__`.
  return { bucketWorkers: Object.fromEntries(named), isComplete };
}
