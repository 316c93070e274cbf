// Conditions of the settings, compared with the directory: nothing is distributed, or buckets are unknown.
import type { Settings } from '../../machines/settings.ts';
import { type Condition, condition } from '../base/condition.ts';
import type { ContentSide } from '../supervisor/content-side.ts';

const maxNamed = 10;

type Names = Pick<ContentSide, 'knows' | 'bucketsOf'>;

/** Reports nothing that the directory has not answered yet. */
export function settingsConditions(settings: Settings, directory: Names): Condition[] {
  const { workerId, buckets } = settings;
  if (buckets !== null) return unknownBuckets(buckets, directory);
  if (workerId === null) {
    const message = 'Neither a worker nor buckets are set, so no asset is served: use set-worker or set-buckets.';
    return [condition('NothingDistributed', 'NoWorker', message)];
  }
  if (directory.bucketsOf(workerId)?.length !== 0) return [];
  const message = `The directory assigns no bucket to worker ${workerId}, so no asset is served.`;
  return [condition('NothingDistributed', 'NoBucket', message)];
}

function unknownBuckets(buckets: readonly string[], directory: Names): Condition[] {
  const unknown = buckets.filter((id) => directory.knows(id) === false);
  if (unknown.length === 0) return [];
  const shown = unknown.slice(0, maxNamed).join(', ');
  const rest = unknown.length > maxNamed ? ` and ${unknown.length - maxNamed} more` : '';
  const message = `The directory does not contain ${shown}${rest}.`;
  return [condition('UnknownBuckets', 'NotInDirectory', message)];
}
