// Compares a bag of the squid with the index, and writes the difference.
import { isDeepStrictEqual } from 'node:util';
import type { BagAssignment, IndexTransaction, ObjectIndex, ObjectRow } from '../../store/object-index.ts';
import type { SquidBag, SquidObject } from './squid-answers.ts';

export interface BagDifference {
  readonly bag: SquidBag;
  /** The bag is new, or its buckets have changed. */
  readonly isReassigned: boolean;
  /** New or changed objects. */
  readonly put: readonly (readonly [id: string, row: ObjectRow])[];
  /** Ids of objects that the squid no longer has in this bag. */
  readonly missing: readonly string[];
}

/** @param index its objects of other bags count as changed */
export function difference(index: Pick<ObjectIndex, 'object' | 'bag' | 'objectsOfBag'>, bag: SquidBag): BagDifference {
  const known = index.bag(bag.id);
  const rows = bag.objects.map((object) => [object.id, rowOf(object, bag.id)] as const);
  const put = known ? rows.filter(([id, row]) => !sameRow(index.object(id), row)) : rows;
  const listed = new Set(rows.map(([id]) => id));
  const missing = known ? [...index.objectsOfBag(bag.id)].filter((id) => !listed.has(id)) : [];
  return { bag, isReassigned: known === undefined || !sameBuckets(known, bag), put, missing };
}

/** Whether anything would be written; what to do about missing objects is up to the caller. */
export const changesIndex = ({ isReassigned, put }: BagDifference): boolean => isReassigned || put.length > 0;

/** @param pass the sync that has seen the bag */
export function write(tx: IndexTransaction, { bag, put }: BagDifference, pass: number): void {
  const { distributionBuckets, storageBuckets } = bag;
  tx.putBag(bag.id, { distributionBuckets, storageBuckets, pass });
  for (const [id, row] of put) tx.putObject(id, row);
}

const rowOf = ({ size, type, hash, accepted }: SquidObject, bag: string): ObjectRow => ({
  ...{ bag, size, type, hash, accepted, file: null, url: null },
});

const sameRow = (a: ObjectRow | undefined, b: ObjectRow): boolean =>
  a !== undefined &&
  a.bag === b.bag &&
  a.size === b.size &&
  a.type === b.type &&
  a.hash === b.hash &&
  a.accepted === b.accepted;

const sameBuckets = (a: BagAssignment, b: SquidBag): boolean =>
  isDeepStrictEqual(a.distributionBuckets, b.distributionBuckets) &&
  isDeepStrictEqual(a.storageBuckets, b.storageBuckets);
