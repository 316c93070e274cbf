// What a change of settings would do to the objects of a directory, worked out without holding anybody up.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CoverageChange, CoverageComparison } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import type { Directory } from './directory.ts';

const nobody: readonly number[] = [];

/** So many objects take well under a millisecond, a few when this runs for the first time. */
const pauseEvery = 1000;

/** @param maxIds how many ids of dropped and of gained objects are named */
export async function coverageChange(
  directory: Pick<Directory, 'contents'>,
  { before, after, maxIds }: { readonly before: Settings; readonly after: Settings; readonly maxIds: number },
): Promise<CoverageChange> {
  const { objects, bucketWorkers } = directory.contents();
  const workers = new Map(Object.entries(bucketWorkers));
  const workersOf = (bucketId: string) => workers.get(bucketId) ?? nobody;
  const comparison = new CoverageComparison({ workersOf, before, after, maxIds });
  let untilPause = pauseEvery;
  for (const object of objects) {
    comparison.add(object);
    untilPause -= 1;
    if (untilPause === 0) {
      untilPause = pauseEvery;
      await nextTurn();
    }
  }
  return comparison.result;
}
