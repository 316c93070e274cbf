// The index on disk (LMDB): one process writes it, any number of processes read it.
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { messageOf } from '../base/errors.ts';
import { CheckedDatabase } from './checked-database.ts';
import { type Head, headKey, indexFormat, rowKey, slotKey, slots, tableEnd, tables } from './index-rows.ts';
import { asStoreError, completeFile, dataFile, IndexDamaged, isDamage, openDatabase } from './lmdb-file.ts';
import { LmdbReader } from './lmdb-reader.ts';
import { LmdbTransaction } from './lmdb-transaction.ts';
import {
  IndexFull,
  type IndexSource,
  type IndexTransaction,
  type IndexWriter,
  type NewVersion,
  type ObjectIndex,
} from './object-index.ts';

/** Rows that one `tidy` removes: some tens of milliseconds. */
const rowsPerTidy = 5000;

/** After so many commits, the slots of killed readers are freed: the pages that they read are free again. */
const commitsPerReaderCheck = 50;

/** The file may be larger than its rows, since pages in use by readers cannot be overwritten. */
const maxFileFactor = 2;

/** The index has another layout, or was built from another directory. */
export class IndexMismatch extends Error {
  readonly reason: 'OtherFormat' | 'OtherDirectory';

  constructor(reason: 'OtherFormat' | 'OtherDirectory', message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface IndexOptions {
  readonly source: IndexSource;
  /** Maximum size of all rows, in bytes, while a new version is built those of both. The file has at most twice this size. */
  readonly maxBytes: number;
  /** Called before a later read or transaction throws {IndexDamaged}. */
  readonly onDamage?: (error: IndexDamaged) => void;
}

/**
 * Creates the index if there is none. In a process that also reads it through `openIndexReader`, it must be opened first.
 * @throws {IndexDamaged}, {IndexMismatch}, or an error that says what the file system does not allow
 */
export function openIndexWriter(folder: string, { source, maxBytes, onDamage }: IndexOptions): IndexWriter {
  const database = new CheckedDatabase(openDatabase(folder, 'write'), folder);
  try {
    checkHead(database, folder, source);
    const index = new LmdbIndex(database, folder, source, maxBytes);
    if (onDamage) database.onDamage = onDamage;
    return index;
  } catch (error) {
    void database.close();
    throw openingError(error, folder);
  }
}

/**
 * @throws an error if there is no index, or one of another format; {IndexDamaged}
 */
export function openIndexReader(folder: string): ObjectIndex {
  // An empty file would kill the process.
  const size = statSync(dataFile(folder), { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) throw new Error(`There is no index in ${folder}`);
  const database = new CheckedDatabase(openDatabase(folder, 'read'), folder);
  try {
    checkHead(database, folder, null);
    if (database.get(headKey) === undefined) throw new Error(`The index in ${folder} is not complete yet`);
    return new LmdbReader(database);
  } catch (error) {
    void database.close();
    throw openingError(error, folder);
  }
}

function openingError(error: unknown, folder: string): unknown {
  const prefix = `The index in ${folder} cannot be opened`;
  if (error instanceof IndexDamaged || !isDamage(error)) return asStoreError(error, prefix);
  return new IndexDamaged(`${prefix}: ${messageOf(error)}`, { cause: error });
}

/** @param source null: any */
function checkHead(database: CheckedDatabase, folder: string, source: IndexSource | null): void {
  const foreign = database.getForeign(headKey) as Partial<Head> | null | undefined;
  const head = (typeof foreign?.format === 'number' ? foreign : database.get(headKey)) as Partial<Head> | undefined;
  if (head === undefined && database.size.commits === 0) return;
  if (typeof head !== 'object' || head === null || typeof head.format !== 'number') {
    throw new IndexDamaged(`The index in ${folder} does not say its format`);
  }
  if (head.format !== indexFormat) {
    throw new IndexMismatch('OtherFormat', `The index in ${folder} has format ${head.format}, not ${indexFormat}`);
  }
  const built = head.source;
  if (source !== null && (built?.kind !== source.kind || built.name !== source.name)) {
    const from = `${built?.kind} ${built?.name}`;
    throw new IndexMismatch('OtherDirectory', `The index in ${folder} was built from the ${from}`);
  }
}

class LmdbIndex extends LmdbReader implements IndexWriter {
  readonly #folder: string;
  readonly #maxBytes: number;
  #inTransaction = false;
  #commits = 0;
  #building: object | null = null;

  constructor(database: CheckedDatabase, folder: string, source: IndexSource, maxBytes: number) {
    super(database);
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#commit(() => this.#begin(source));
  }

  transact<T>(change: (tx: IndexTransaction) => T): T {
    return this.#commit(() => this.#changeSlot(this.database.get(slotKey) as string, change));
  }

  newVersion(): NewVersion {
    while (this.#head.old.length > slots.length - 3) this.tidy();
    const slot = this.#commit(() => {
      const { building, old } = this.#head;
      const discarded = building === null ? old : [...old, building];
      const used = [...discarded, this.database.get(slotKey)];
      const free = slots.find((letter) => !used.includes(letter)) as string;
      this.#putHead({ building: free, old: discarded });
      return free;
    });
    // A discarded version's letter may be used again by a later one.
    const token = {};
    this.#building = token;
    const checkBuilding = () => {
      if (this.#building !== token) throw new Error('This version was published or discarded');
    };
    return {
      transact: (change) => {
        checkBuilding();
        return this.#commit(() => this.#changeSlot(slot, change));
      },
      publish: (change = () => {}) => {
        checkBuilding();
        this.#commit(() => {
          this.#changeSlot(slot, change);
          const { version, old } = this.#head;
          this.#putHead({ version: version + 1, building: null, old: [...old, this.database.get(slotKey) as string] });
          this.database.put(slotKey, slot);
        });
        this.#building = null;
      },
    };
  }

  tidy(): boolean {
    this.refresh();
    if (this.#head.old.length === 0) return false;
    return this.#commit(() => {
      const [slot = '', ...others] = this.#head.old;
      if (this.#removeSome(slot)) return true;
      this.#putHead({ old: others });
      return others.length > 0;
    });
  }

  check(): boolean {
    return this.database.check();
  }

  /** @returns whether there may be more */
  #removeSome(slot: string): boolean {
    let limit = rowsPerTidy;
    for (const table of tables) {
      const keys = [...this.database.getKeys({ start: rowKey(table, slot, ''), end: tableEnd(table, slot), limit })];
      for (const key of keys) this.database.remove(key);
      limit -= keys.length;
      if (limit === 0) return true;
    }
    return false;
  }

  #begin(source: IndexSource): void {
    const head = this.database.get(headKey) as Head | undefined;
    if (head === undefined) {
      const first: Head = {
        ...{ format: indexFormat, id: randomUUID(), source, readAt: null },
        ...{ version: 0, building: null, old: [] },
      };
      this.database.put(headKey, first);
      this.database.put(slotKey, slots[0]);
    } else if (head.building !== null) {
      this.#putHead({ building: null, old: [...head.old, head.building] });
    }
  }

  get #head(): Head {
    return this.database.get(headKey) as Head;
  }

  #putHead(changed: Partial<Head>): void {
    this.database.put(headKey, { ...this.#head, ...changed });
  }

  #changeSlot<T>(slot: string, change: (tx: IndexTransaction) => T): T {
    const transaction = new LmdbTransaction(this.database, slot);
    try {
      const result = change(transaction);
      transaction.flush();
      return result;
    } finally {
      transaction.end();
    }
  }

  #commit<T>(change: () => T): T {
    if (this.#inTransaction) throw new Error('A transaction cannot begin in another one');
    if (this.#commits % commitsPerReaderCheck === 0) this.database.checkReaders();
    this.#commits += 1;
    this.#inTransaction = true;
    let result: { readonly value: T } | undefined;
    try {
      this.database.transact(() => {
        const before = this.database.size;
        result = { value: change() };
        this.#checkSize(before);
      });
    } catch (error) {
      throw asStoreError(error, `The index in ${this.#folder} cannot be written`);
    } finally {
      this.#inTransaction = false;
    }
    completeFile(this.#folder, this.database.size.file);
    this.refresh();
    return (result as { readonly value: T }).value;
  }

  /** A change that takes no more room is always allowed, so that rows can be removed from a full index. */
  #checkSize(before: { readonly used: number; readonly file: number }): void {
    const { used } = this.database.size;
    if (used > this.#maxBytes && used > before.used) {
      throw new IndexFull(`The index would have ${used} bytes: more than ${this.#maxBytes}`);
    }
    if (before.file > maxFileFactor * this.#maxBytes) {
      throw new IndexFull(`The file of the index has ${before.file} bytes: a process keeps an old state of it in use`);
    }
  }
}
