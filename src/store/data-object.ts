// The data object that a row of the index and its bag describe.
import { type DataObject, factsOf } from '../../machines/answer.ts';
import type { BagAssignment, ObjectRow } from './object-index.ts';
import { isAccepted, sizeOf } from './object-sums.ts';

/** An object whose file has a problem is not accepted, and has what the directory states alone. */
export function dataObject(id: string, row: ObjectRow, bag: Pick<BagAssignment, 'distributionBuckets'>): DataObject {
  const { file } = row;
  const accepted = isAccepted(row);
  const found = accepted && file !== null ? file.found : null;
  // One literal, without spreads: this runs for every request.
  return {
    id,
    path: found === null ? null : found.path,
    size: sizeOf(row),
    type: row.type ?? file?.type ?? null,
    hash: found === null ? row.hash : (row.hash ?? file?.hash ?? null),
    verified: found === null || file?.hash == null ? null : factsOf(found),
    accepted,
    buckets: bag.distributionBuckets,
  };
}
