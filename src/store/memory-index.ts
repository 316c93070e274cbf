// The index in memory: the twin of the one on disk, for tests and small directories.
import { randomUUID } from 'node:crypto';
import { checkName } from './index-names.ts';
import type {
  BagAssignment,
  BagRow,
  BucketRow,
  CopyRow,
  FileProblem,
  IndexSource,
  IndexSummary,
  IndexTransaction,
  IndexWriter,
  NewVersion,
  ObjectRow,
} from './object-index.ts';
import { copiesWith, noCopies, noSums, noTotals, totalsWith, type VersionTotals, withObject } from './object-sums.ts';

/** @returns an empty index. A read sees at once what was committed; a full disk does not exist. */
export const memoryIndex = (source: IndexSource): IndexWriter => new MemoryIndex(source);

/** One version of the directory. */
class Version {
  readonly objects = new Map<string, ObjectRow>();
  readonly bags = new Map<string, BagRow>();
  readonly idsOfBag = new Map<string, Set<string>>();
  readonly buckets = new Map<string, BucketRow>();
  totals: VersionTotals = noTotals;
}

class MemoryIndex implements IndexWriter {
  readonly #id = randomUUID();
  readonly #source: IndexSource;
  readonly marks = new Map<string, unknown>();
  readonly copies = new Map<string, CopyRow>();
  copyTotals = noCopies;
  readAt: string | null = null;
  #number = 0;
  #read = new Version();
  #old = false;
  #building: Version | null = null;
  #inTransaction = false;

  constructor(source: IndexSource) {
    this.#source = source;
  }

  refresh(): void {}

  get summary(): IndexSummary {
    return this.summaryOf(this.#read);
  }

  summaryOf({ totals }: Version): IndexSummary {
    const { readAt, copyTotals } = this;
    return {
      ...{ id: this.#id, source: this.#source, readAt, version: this.#number },
      totals: { ...totals, ...copyTotals },
    };
  }

  object(id: string): ObjectRow | undefined {
    return this.#read.objects.get(id);
  }

  bag(id: string): BagRow | undefined {
    return this.#read.bags.get(id);
  }

  bucket(id: string): BucketRow | undefined {
    return this.#read.buckets.get(id);
  }

  bags(): Iterable<readonly [string, BagRow]> {
    return sorted(this.#read.bags);
  }

  buckets(): Iterable<readonly [string, BucketRow]> {
    return sorted(this.#read.buckets);
  }

  objectsOfBag(bag: string): Iterable<string> {
    return [...(this.#read.idsOfBag.get(bag) ?? [])].sort();
  }

  objectIds(after: string): Iterable<string> {
    return [...this.#read.objects.keys()].filter((id) => id > after).sort();
  }

  problems(): Iterable<readonly [string, FileProblem]> {
    return sorted(this.#read.objects).flatMap(([id, { file }]) => (file?.problem ? [[id, file.problem] as const] : []));
  }

  copy(id: string): CopyRow | undefined {
    return this.copies.get(id);
  }

  copyIds(after: string): Iterable<string> {
    return [...this.copies.keys()].filter((id) => id > after).sort();
  }

  copiesByPriority(): Iterable<readonly [string, CopyRow]> {
    return sorted(this.copies).sort(([, a], [, b]) => a.priority - b.priority);
  }

  mark(name: string): unknown {
    return structuredClone(this.marks.get(name));
  }

  async close(): Promise<void> {}

  transact<T>(change: (tx: IndexTransaction) => T): T {
    return this.#transactOn(this.#read, change);
  }

  newVersion(): NewVersion {
    const version = new Version();
    this.#building = version;
    const transactOnIt = <T>(change: (tx: IndexTransaction) => T): T => {
      if (this.#building !== version) throw new Error('This version was published or discarded');
      return this.#transactOn(version, change);
    };
    return {
      transact: transactOnIt,
      publish: (change = () => {}) => {
        transactOnIt(change);
        this.#read = version;
        this.#number += 1;
        this.#building = null;
        this.#old = true;
      },
    };
  }

  check(): boolean {
    return false;
  }

  tidy(): boolean {
    const left = this.#old;
    this.#old = false;
    return left;
  }

  #transactOn<T>(version: Version, change: (tx: IndexTransaction) => T): T {
    if (this.#inTransaction) throw new Error('A transaction cannot begin in another one');
    this.#inTransaction = true;
    const transaction = new MemoryTransaction(this, version);
    try {
      return change(transaction);
    } catch (error) {
      transaction.undo();
      throw error;
    } finally {
      transaction.end();
      this.#inTransaction = false;
    }
  }
}

class MemoryTransaction implements IndexTransaction {
  readonly #index: MemoryIndex;
  readonly #version: Version;
  readonly #undo: (() => void)[] = [];
  #ended = false;

  constructor(index: MemoryIndex, version: Version) {
    this.#index = index;
    this.#version = version;
    const { totals } = version;
    const { readAt, copyTotals } = index;
    this.#undo.push(() => {
      version.totals = totals;
      index.readAt = readAt;
      index.copyTotals = copyTotals;
    });
  }

  undo(): void {
    for (const step of this.#undo.reverse()) step();
  }

  end(): void {
    this.#ended = true;
  }

  get summary(): IndexSummary {
    return this.#index.summaryOf(this.#version);
  }

  object(id: string): ObjectRow | undefined {
    return this.#version.objects.get(id);
  }

  bag(id: string): BagRow | undefined {
    return this.#version.bags.get(id);
  }

  bucket(id: string): BucketRow | undefined {
    return this.#version.buckets.get(id);
  }

  bags(): Iterable<readonly [string, BagRow]> {
    return sorted(this.#version.bags);
  }

  buckets(): Iterable<readonly [string, BucketRow]> {
    return sorted(this.#version.buckets);
  }

  objectsOfBag(bag: string): Iterable<string> {
    return [...(this.#version.idsOfBag.get(bag) ?? [])].sort();
  }

  copy(id: string): CopyRow | undefined {
    return this.#index.copy(id);
  }

  mark(name: string): unknown {
    return this.#index.mark(name);
  }

  putObject(id: string, row: ObjectRow): void {
    checkName(id);
    if (!this.#version.bags.has(row.bag)) throw new Error(`The bag ${row.bag} of object ${id} is not in the index`);
    this.removeObject(id);
    const bag = this.#version.bags.get(row.bag) as BagRow;
    this.#set(this.#version.objects, id, row);
    this.#set(this.#version.bags, row.bag, { ...bag, ...withObject(bag, row, 1) });
    this.#member(row.bag, id, true);
    this.#version.totals = totalsWith(this.#version.totals, row, 1);
  }

  removeObject(id: string): void {
    const row = this.#version.objects.get(id);
    if (row === undefined) return;
    const bag = this.#version.bags.get(row.bag) as BagRow;
    this.#set(this.#version.objects, id, undefined);
    this.#set(this.#version.bags, row.bag, { ...bag, ...withObject(bag, row, -1) });
    this.#member(row.bag, id, false);
    this.#version.totals = totalsWith(this.#version.totals, row, -1);
  }

  putBag(id: string, { distributionBuckets, storageBuckets, pass }: BagAssignment): void {
    checkName(id);
    const bag = this.#version.bags.get(id);
    this.#set(this.#version.bags, id, { ...(bag ?? noSums), distributionBuckets, storageBuckets, pass });
    if (bag === undefined) this.#countBags(1);
  }

  removeBag(id: string): void {
    if (!this.#version.bags.has(id)) return;
    for (const object of this.objectsOfBag(id)) this.removeObject(object);
    this.#set(this.#version.bags, id, undefined);
    this.#countBags(-1);
  }

  putBucket(id: string, row: BucketRow): void {
    checkName(id);
    this.#set(this.#version.buckets, id, row);
  }

  removeBucket(id: string): void {
    this.#set(this.#version.buckets, id, undefined);
  }

  putCopy(id: string, row: CopyRow): void {
    checkName(id);
    this.removeCopy(id);
    this.#set(this.#index.copies, id, row);
    this.#index.copyTotals = copiesWith(this.#index.copyTotals, row, 1);
  }

  removeCopy(id: string): void {
    const row = this.#index.copies.get(id);
    this.#set(this.#index.copies, id, undefined);
    if (row !== undefined) this.#index.copyTotals = copiesWith(this.#index.copyTotals, row, -1);
  }

  putMark(name: string, value: unknown): void {
    checkName(name);
    this.#set(this.#index.marks, name, structuredClone(value));
  }

  setRead(at: string): void {
    this.#checkOpen();
    this.#index.readAt ??= at;
  }

  #countBags(sign: 1 | -1): void {
    this.#version.totals = { ...this.#version.totals, bags: this.#version.totals.bags + sign };
  }

  /** @param value undefined: delete */
  #set<V>(map: Map<string, V>, key: string, value: V | undefined): void {
    this.#checkOpen();
    const before = map.get(key);
    setOrDelete(map, key, value);
    this.#undo.push(() => setOrDelete(map, key, before));
  }

  #member(bag: string, id: string, isIn: boolean): void {
    const { idsOfBag } = this.#version;
    const ids = idsOfBag.get(bag) ?? new Set();
    idsOfBag.set(bag, ids);
    if (isIn) ids.add(id);
    else ids.delete(id);
    this.#undo.push(() => (isIn ? ids.delete(id) : ids.add(id)));
  }

  #checkOpen(): void {
    if (this.#ended) throw new Error('This transaction has ended');
  }
}

function setOrDelete<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

const sorted = <V>(map: ReadonlyMap<string, V>): (readonly [string, V])[] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));
