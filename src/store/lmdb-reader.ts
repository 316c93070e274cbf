// Reads of the index on disk.
import type { CheckedDatabase } from './checked-database.ts';
import { mayExist } from './index-names.ts';
import {
  copyEnd,
  copyKey,
  copyStart,
  copyTotalsKey,
  type Head,
  headKey,
  idOfPriorityKey,
  markKey,
  memberEnd,
  memberStart,
  type PackedBag,
  type PackedBucket,
  type PackedCopy,
  type PackedObject,
  priorityEnd,
  priorityStart,
  rowKey,
  slotKey,
  type Table,
  tableEnd,
  unpackBag,
  unpackBucket,
  unpackCopy,
  unpackObject,
} from './index-rows.ts';
import type { BagRow, BucketRow, CopyRow, FileProblem, IndexSummary, ObjectIndex, ObjectRow } from './object-index.ts';
import { type CopyTotals, noCopies, noTotals, type VersionTotals } from './object-sums.ts';

export class LmdbReader implements ObjectIndex {
  protected readonly database: CheckedDatabase;
  /** Of the state that is read in this turn of the event loop; null: not read yet. */
  #slotNow: string | null = null;
  #willForget = false;

  constructor(database: CheckedDatabase) {
    this.database = database;
  }

  refresh(): void {
    this.#slotNow = null;
    this.database.refresh();
  }

  get summary(): IndexSummary {
    const { id, source, readAt, version } = this.database.get(headKey) as Head;
    const totals = (this.database.get(rowKey('t', this.#slot(), '')) ?? noTotals) as VersionTotals;
    const copyTotals = (this.database.get(copyTotalsKey) ?? noCopies) as CopyTotals;
    return { id, source, readAt, version, totals: { ...totals, ...copyTotals } };
  }

  object(id: string): ObjectRow | undefined {
    const row = this.#row('o', id);
    return row === undefined ? undefined : unpackObject(row as PackedObject);
  }

  bag(id: string): BagRow | undefined {
    const row = this.#row('b', id);
    return row === undefined ? undefined : unpackBag(row as PackedBag);
  }

  bucket(id: string): BucketRow | undefined {
    const row = this.#row('k', id);
    return row === undefined ? undefined : unpackBucket(row as PackedBucket);
  }

  *bags(): Generator<readonly [string, BagRow]> {
    for (const { key, value } of this.#range('b')) yield [key.slice(2), unpackBag(value as PackedBag)];
  }

  *buckets(): Generator<readonly [string, BucketRow]> {
    for (const { key, value } of this.#range('k')) yield [key.slice(2), unpackBucket(value as PackedBucket)];
  }

  *objectsOfBag(bag: string): Generator<string> {
    if (!mayExist(bag)) return;
    const start = bag.length + 3;
    for (const key of this.#keys((slot) => [memberStart(slot, bag), memberEnd(slot, bag)])) yield key.slice(start);
  }

  *objectIds(after: string): Generator<string> {
    const keys = this.#keys((slot) => [rowKey('o', slot, after), tableEnd('o', slot)]);
    for (const key of keys) if (key.length !== after.length + 2 || key.slice(2) !== after) yield key.slice(2);
  }

  *problems(): Generator<readonly [string, FileProblem]> {
    for (const { key, value } of this.#range('p')) yield [key.slice(2), value as FileProblem];
  }

  copy(id: string): CopyRow | undefined {
    const row = mayExist(id) ? this.database.get(copyKey(id)) : undefined;
    return row === undefined ? undefined : unpackCopy(row as PackedCopy);
  }

  *copyIds(after: string): Generator<string> {
    for (const key of this.#keys(() => [copyKey(after), copyEnd])) {
      const id = key.slice(copyStart.length);
      if (id !== after) yield id;
    }
  }

  *copiesByPriority(): Generator<readonly [string, CopyRow]> {
    const transaction = this.database.readTransaction();
    try {
      for (const key of this.database.getKeys({ start: priorityStart, end: priorityEnd, transaction })) {
        const id = idOfPriorityKey(key);
        yield [id, unpackCopy(this.database.get(copyKey(id), transaction) as PackedCopy)];
      }
    } finally {
      transaction.done();
    }
  }

  mark(name: string): unknown {
    return mayExist(name) ? this.database.get(markKey(name)) : undefined;
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  /** Kept until the end of the task: after that, LMDB may read a later state. */
  #slot(): string {
    if (this.#slotNow !== null) return this.#slotNow;
    const slot = this.database.get(slotKey) as string;
    this.#slotNow = slot;
    if (!this.#willForget) {
      this.#willForget = true;
      queueMicrotask(this.#forgetSlot);
    }
    return slot;
  }

  readonly #forgetSlot = (): void => {
    this.#willForget = false;
    this.#slotNow = null;
  };

  #row(table: Table, name: string): unknown {
    return mayExist(name) ? this.database.get(rowKey(table, this.#slot(), name)) : undefined;
  }

  *#range(table: Table): Generator<{ readonly key: string; readonly value: unknown }> {
    const transaction = this.database.readTransaction();
    try {
      const slot = this.database.get(slotKey, transaction) as string;
      const keys = this.database.getKeys({ start: rowKey(table, slot, ''), end: tableEnd(table, slot), transaction });
      for (const key of keys) yield { key, value: this.database.get(key, transaction) };
    } finally {
      transaction.done();
    }
  }

  *#keys(bounds: (slot: string) => readonly [start: string, end: string]): Generator<string> {
    const transaction = this.database.readTransaction();
    try {
      const [start, end] = bounds(this.database.get(slotKey, transaction) as string);
      yield* this.database.getKeys({ start, end, transaction });
    } finally {
      transaction.done();
    }
  }
}
