// The data object that a row of the index and its bag describe.
import type { DataObject } from '../../machines/answer.ts';
import type { BagAssignment, ObjectRow } from './object-index.ts';
import { isAccepted, sizeOf } from './object-sums.ts';

/** An object whose file has a problem is not accepted, and has what the directory states alone. */
export function dataObject(id: string, row: ObjectRow, bag: Pick<BagAssignment, 'distributionBuckets'>): DataObject {
  const { file } = row;
  const isServed = isAccepted(row) && file?.found;
  const object = {
    ...{ id, size: sizeOf(row), type: row.type ?? file?.type ?? null },
    ...{ accepted: isAccepted(row), buckets: bag.distributionBuckets },
  };
  if (!isServed) return { ...object, path: null, hash: row.hash, verified: null };
  const { path, ...facts } = isServed;
  return { ...object, path, hash: row.hash ?? file.hash, verified: file.hash === null ? null : facts };
}
