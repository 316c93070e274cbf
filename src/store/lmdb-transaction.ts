// One transaction on a version of the index on disk. Sums are kept in memory until its end.
import type { CheckedDatabase } from './checked-database.ts';
import { checkName, mayExist } from './index-names.ts';
import {
  copyKey,
  copyTotalsKey,
  type Head,
  headKey,
  markKey,
  memberEnd,
  memberStart,
  type PackedBag,
  type PackedBucket,
  type PackedCopy,
  type PackedObject,
  packBag,
  packBucket,
  packCopy,
  packObject,
  priorityKey,
  rowKey,
  type Table,
  tableEnd,
  unpackBag,
  unpackBucket,
  unpackCopy,
  unpackObject,
} from './index-rows.ts';
import type {
  BagAssignment,
  BagRow,
  BucketRow,
  CopyRow,
  IndexSummary,
  IndexTransaction,
  ObjectRow,
} from './object-index.ts';
import {
  type CopyTotals,
  copiesWith,
  noCopies,
  noSums,
  noTotals,
  totalsWith,
  type VersionTotals,
  withObject,
} from './object-sums.ts';

/** Keys that an iteration reads at a time. A cursor would not outlive the changes made between two of its steps. */
const keysPerStep = 500;

export class LmdbTransaction implements IndexTransaction {
  readonly #database: CheckedDatabase;
  readonly #slot: string;
  readonly #totalsBefore: VersionTotals;
  #totals: VersionTotals;
  readonly #copiesBefore: CopyTotals;
  #copies: CopyTotals;
  /** Bags that were changed, not yet written. */
  readonly #bags = new Map<string, BagRow>();
  #ended = false;

  /** To be used in a write transaction of the database. */
  constructor(database: CheckedDatabase, slot: string) {
    this.#database = database;
    this.#slot = slot;
    this.#totalsBefore = (database.get(this.#key('t', '')) ?? noTotals) as VersionTotals;
    this.#totals = this.#totalsBefore;
    this.#copiesBefore = (database.get(copyTotalsKey) ?? noCopies) as CopyTotals;
    this.#copies = this.#copiesBefore;
  }

  /** Writes what is still in memory. */
  flush(): void {
    for (const [id, bag] of this.#bags) this.#database.put(this.#key('b', id), packBag(bag));
    this.#bags.clear();
    if (this.#totals !== this.#totalsBefore) this.#database.put(this.#key('t', ''), this.#totals);
    if (this.#copies !== this.#copiesBefore) this.#database.put(copyTotalsKey, this.#copies);
  }

  end(): void {
    this.#ended = true;
  }

  get summary(): IndexSummary {
    const { id, source, readAt, version } = this.#database.get(headKey) as Head;
    return { id, source, readAt, version, totals: { ...this.#totals, ...this.#copies } };
  }

  object(id: string): ObjectRow | undefined {
    const row = this.#row('o', id);
    return row === undefined ? undefined : unpackObject(row as PackedObject);
  }

  bag(id: string): BagRow | undefined {
    const changed = this.#bags.get(id);
    if (changed !== undefined) return changed;
    const row = this.#row('b', id);
    return row === undefined ? undefined : unpackBag(row as PackedBag);
  }

  bucket(id: string): BucketRow | undefined {
    const row = this.#row('k', id);
    return row === undefined ? undefined : unpackBucket(row as PackedBucket);
  }

  *bags(): Generator<readonly [string, BagRow]> {
    this.flush();
    for (const id of this.#names('b')) {
      const bag = this.bag(id);
      if (bag !== undefined) yield [id, bag];
    }
  }

  *buckets(): Generator<readonly [string, BucketRow]> {
    for (const id of this.#names('k')) {
      const bucket = this.bucket(id);
      if (bucket !== undefined) yield [id, bucket];
    }
  }

  *objectsOfBag(bag: string): Generator<string> {
    if (!mayExist(bag)) return;
    const start = memberStart(this.#slot, bag);
    for (const key of this.#keys(start, memberEnd(this.#slot, bag))) yield key.slice(start.length);
  }

  copy(id: string): CopyRow | undefined {
    const row = mayExist(id) ? this.#database.get(copyKey(id)) : undefined;
    return row === undefined ? undefined : unpackCopy(row as PackedCopy);
  }

  mark(name: string): unknown {
    return mayExist(name) ? this.#database.get(markKey(name)) : undefined;
  }

  putObject(id: string, row: ObjectRow): void {
    checkName(id);
    this.#checkOpen();
    if (this.bag(row.bag) === undefined) throw new Error(`The bag ${row.bag} of object ${id} is not in the index`);
    const before = this.object(id);
    if (before !== undefined) this.#subtract(before);
    const bag = this.#bag(row.bag);
    this.#bags.set(row.bag, { ...bag, ...withObject(bag, row, 1) });
    this.#totals = totalsWith(this.#totals, row, 1);
    if (before !== undefined && before.bag !== row.bag) this.#database.remove(this.#memberKey(before.bag, id));
    if (before?.bag !== row.bag) this.#database.put(this.#memberKey(row.bag, id), 0);
    if (row.file?.problem) this.#database.put(this.#key('p', id), row.file.problem);
    else if (before?.file?.problem) this.#database.remove(this.#key('p', id));
    this.#database.put(this.#key('o', id), packObject(row));
  }

  removeObject(id: string): void {
    this.#checkOpen();
    const row = this.object(id);
    if (row === undefined) return;
    this.#subtract(row);
    this.#database.remove(this.#memberKey(row.bag, id));
    if (row.file?.problem) this.#database.remove(this.#key('p', id));
    this.#database.remove(this.#key('o', id));
  }

  putBag(id: string, { distributionBuckets, storageBuckets, pass }: BagAssignment): void {
    checkName(id);
    this.#checkOpen();
    const bag = this.bag(id);
    this.#bags.set(id, { ...(bag ?? noSums), distributionBuckets, storageBuckets, pass });
    if (bag === undefined) this.#countBags(1);
  }

  removeBag(id: string): void {
    this.#checkOpen();
    if (this.bag(id) === undefined) return;
    for (const object of this.objectsOfBag(id)) this.removeObject(object);
    this.#bags.delete(id);
    this.#database.remove(this.#key('b', id));
    this.#countBags(-1);
  }

  putBucket(id: string, row: BucketRow): void {
    checkName(id);
    this.#checkOpen();
    this.#database.put(this.#key('k', id), packBucket(row));
  }

  removeBucket(id: string): void {
    this.#checkOpen();
    if (mayExist(id)) this.#database.remove(this.#key('k', id));
  }

  putCopy(id: string, row: CopyRow): void {
    checkName(id);
    this.removeCopy(id);
    this.#copies = copiesWith(this.#copies, row, 1);
    this.#database.put(copyKey(id), packCopy(row));
    this.#database.put(priorityKey(row, id), 0);
  }

  removeCopy(id: string): void {
    this.#checkOpen();
    const row = this.copy(id);
    if (row === undefined) return;
    this.#copies = copiesWith(this.#copies, row, -1);
    this.#database.remove(copyKey(id));
    this.#database.remove(priorityKey(row, id));
  }

  putMark(name: string, value: unknown): void {
    checkName(name);
    this.#checkOpen();
    if (value === undefined) this.#database.remove(markKey(name));
    else this.#database.put(markKey(name), value);
  }

  setRead(at: string): void {
    this.#checkOpen();
    const head = this.#database.get(headKey) as Head;
    if (head.readAt === null) this.#database.put(headKey, { ...head, readAt: at } satisfies Head);
  }

  #subtract(row: ObjectRow): void {
    const bag = this.#bag(row.bag);
    this.#bags.set(row.bag, { ...bag, ...withObject(bag, row, -1) });
    this.#totals = totalsWith(this.#totals, row, -1);
  }

  /** The bag of an object that is in the index. */
  #bag(id: string): BagRow {
    return this.bag(id) as BagRow;
  }

  #countBags(sign: 1 | -1): void {
    this.#totals = { ...this.#totals, bags: this.#totals.bags + sign };
  }

  #row(table: Table, name: string): unknown {
    return mayExist(name) ? this.#database.get(this.#key(table, name)) : undefined;
  }

  *#names(table: Table): Generator<string> {
    for (const key of this.#keys(this.#key(table, ''), tableEnd(table, this.#slot))) yield key.slice(2);
  }

  *#keys(start: string, end: string): Generator<string> {
    const next = { start, end, limit: keysPerStep, exclusiveStart: false };
    for (;;) {
      const keys = [...this.#database.getKeys(next)];
      yield* keys;
      if (keys.length < keysPerStep) return;
      next.start = keys.at(-1) as string;
      next.exclusiveStart = true;
    }
  }

  #key(table: Table, name: string): string {
    return rowKey(table, this.#slot, name);
  }

  #memberKey(bag: string, id: string): string {
    return memberStart(this.#slot, bag) + id;
  }

  #checkOpen(): void {
    if (this.#ended) throw new Error('This transaction has ended');
  }
}
