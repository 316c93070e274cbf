// The effect of a settings change on the objects of a directory, computed without blocking the event loop.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type CoverageChange, CoverageComparison } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import type { Directory } from './directory.ts';

const noWorkers: readonly number[] = [];

/** Objects per turn of the event loop: well under a millisecond, a few in the first run. */
const pauseEvery = 1000;

/** @param maxIds how many ids of dropped and of gained objects the result lists */
export async function coverageChange(
  directory: Pick<Directory, 'contents'>,
  { before, after, maxIds }: { readonly before: Settings; readonly after: Settings; readonly maxIds: number },
): Promise<CoverageChange> {
  const { objects, bucketWorkers } = directory.contents();
  const workers = new Map(Object.entries(bucketWorkers));
  const workersOf = (bucketId: string) => workers.get(bucketId) ?? noWorkers;
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
