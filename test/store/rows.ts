// Rows for tests of the index, and a recount of its sums.
import type {
  BagAssignment,
  CopyRow,
  FileProblem,
  IndexTotals,
  ObjectIndex,
  ObjectRow,
} from '../../src/store/object-index.ts';
import { copiesWith, noCopies, noSums, noTotals, totalsWith, withObject } from '../../src/store/object-sums.ts';

export const inBuckets = (...distributionBuckets: string[]): BagAssignment => ({
  ...{ distributionBuckets, storageBuckets: [], pass: 0 },
});

/** An object without a file. */
export const squidRow = (bag: string, more: Partial<ObjectRow> = {}): ObjectRow => ({
  ...{ bag, size: 1, type: null, hash: null, accepted: true, file: null, url: null },
  ...more,
});

/** An object of which the directory states the file alone. */
export const catalogueRow = (
  bag: string,
  name: string,
  { size = 1, found, problem = null }: { size?: number; found?: null; problem?: FileProblem | null } = {},
): ObjectRow => ({
  ...{ bag, size: null, type: null, hash: null, accepted: true, url: null },
  file: {
    name,
    found: found === null ? null : { path: `/films/${name}`, size, mtimeMs: 1.5, ctimeMs: 2.25, ino: 2 ** 40 },
    ...{ type: 'video/mp4', hash: 'zW1', problem },
  },
});

export const copyRow = (more: Partial<CopyRow> = {}): CopyRow => ({
  ...{ size: 1, mtimeMs: 1.5, ctimeMs: 2.25, ino: 2 ** 40, type: 'video/mp4', hash: 'zW1', originTag: null },
  ...{ uses: 1, lastUseSec: 1000, priority: 0 },
  ...more,
});

/** The totals of all objects and copies; throws if the sums of a bag are not those of its objects. */
export function recount(index: ObjectIndex): IndexTotals {
  let totals = noTotals;
  let copies = noCopies;
  for (const id of index.copyIds('')) copies = copiesWith(copies, index.copy(id) as CopyRow, 1);
  for (const [id, bag] of index.bags()) {
    let sums = noSums;
    for (const object of index.objectsOfBag(id)) {
      const row = index.object(object);
      if (row?.bag !== id) throw new Error(`Object ${object} is not in bag ${id}, but in ${row?.bag}`);
      sums = withObject(sums, row, 1);
      totals = totalsWith(totals, row, 1);
    }
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) {
      if (bag[key] !== sums[key]) throw new Error(`Bag ${id} has ${key} ${bag[key]}, not ${sums[key]}`);
    }
    totals = { ...totals, bags: totals.bags + 1 };
  }
  return { ...totals, ...copies };
}
