// Rows of the database with a checksum of key and value: wrong bytes on the disk are an error, never another row.
import { asBinary, type Transaction } from 'lmdb';
import { messageOf } from '../base/errors.ts';
import { type Database, databaseSize, IndexDamaged, isDamage } from './lmdb-file.ts';

/** Behind the value of every row. */
const checksumBytes = 4;

/** Rows that one `check` reads: a few milliseconds. */
const rowsPerCheck = 2000;

export interface KeyRange {
  readonly start?: string;
  readonly end?: string;
  readonly limit?: number;
  readonly exclusiveStart?: boolean;
  readonly transaction?: Transaction;
}

/** What the types of `lmdb` leave out. */
interface Untyped {
  /** MessagePack. */
  readonly encoder: {
    encode(value: unknown): Buffer;
    decode(bytes: Uint8Array, end: number): unknown;
  };
  /** The bytes are those of the next call too. */
  getBinaryFast(key: string, options?: { readonly transaction: Transaction }): Uint8Array | undefined;
}

/** A reading of all rows, in steps. */
interface Round {
  readonly after: string;
  readonly rows: number;
  /** Number of commits before it; a later one may change the number of rows. */
  readonly commits: number;
}

export class CheckedDatabase {
  /** Called before damage is thrown, each time. */
  onDamage: (error: IndexDamaged) => void = () => {};
  readonly #database: Database & Untyped;
  readonly #folder: string;
  #round: Round | null = null;
  #isWriting = false;
  #isClosed = false;

  constructor(database: Database, folder: string) {
    this.#database = database as Database & Untyped;
    this.#folder = folder;
  }

  /** @throws {IndexDamaged} */
  get(key: string, transaction?: Transaction): unknown {
    let value: unknown;
    try {
      const bytes = this.#database.getBinaryFast(key, transaction && { transaction });
      if (bytes === undefined) return undefined;
      const end = bytes.length - checksumBytes;
      if (end < 1 || checksum(key, bytes, end) !== readChecksum(bytes, end)) throw new Error('a wrong checksum');
      value = this.#database.encoder.decode(bytes, end);
    } catch (error) {
      throw this.#judged(error);
    }
    return value;
  }

  /** The value of a row that an index of another format may have written; undefined: none, or none that can be read. */
  getForeign(key: string): unknown {
    try {
      const bytes = this.#database.getBinary(key);
      return bytes && this.#database.encoder.decode(bytes, bytes.length);
    } catch {
      return undefined;
    }
  }

  put(key: string, value: unknown): void {
    const packed = this.#database.encoder.encode(value);
    const bytes = Buffer.allocUnsafe(packed.length + checksumBytes);
    bytes.set(packed);
    bytes.writeUInt32LE(checksum(key, packed, packed.length), packed.length);
    this.#database.put(key, asBinary(bytes));
  }

  remove(key: string): void {
    this.#database.remove(key);
  }

  /** @throws {IndexDamaged} */
  *getKeys(range: KeyRange): Generator<string> {
    let before = range.start ?? '';
    let mayRepeat = range.exclusiveStart !== true;
    try {
      for (const key of this.#database.getKeys(range)) {
        if (typeof key !== 'string') throw new Error('a key that is no text');
        // Wrong pages can form a circle.
        if (!isAfter(key, before) && !(mayRepeat && key === before)) throw new Error('keys that are not in order');
        [before, mayRepeat] = [key, false];
        yield key;
      }
    } catch (error) {
      throw this.#judged(error);
    }
  }

  /** @throws {IndexDamaged}, what `change` throws, errors of the database */
  transact(change: () => void): void {
    this.#isWriting = true;
    try {
      this.#database.transactionSync(change);
    } catch (error) {
      throw isDamage(error) ? this.#judged(error) : error;
    } finally {
      this.#isWriting = false;
    }
  }

  /**
   * Reads some rows; by and by all, and whether they are as many as there should be.
   * @returns whether more are left of this round
   * @throws {IndexDamaged}
   */
  check(): boolean {
    this.refresh();
    const { commits, rows } = this.size;
    const { after, rows: before, commits: since } = this.#round ?? { after: '', rows: 0, commits };
    const range = after === '' ? {} : { start: after, exclusiveStart: true };
    const keys = [...this.getKeys({ ...range, limit: rowsPerCheck })];
    for (const key of keys) this.get(key);
    const read = before + keys.length;
    const hasMore = keys.length === rowsPerCheck;
    const isWrong = since === commits && (hasMore ? read > rows : read !== rows);
    if (isWrong) {
      this.#round = null;
      throw this.#judged(new Error(`${read} rows instead of ${rows}`));
    }
    this.#round = hasMore ? { after: keys.at(-1) as string, rows: read, commits: since } : null;
    return hasMore;
  }

  get size(): ReturnType<typeof databaseSize> {
    try {
      return databaseSize(this.#database);
    } catch (error) {
      throw this.#judged(error);
    }
  }

  /** Later reads see the last commit. */
  refresh(): void {
    this.#database.resetReadTxn();
  }

  /** A state that stays the same until it is done. */
  readTransaction(): Transaction {
    return this.#database.useReadTransaction();
  }

  /** Frees the slots of killed readers. */
  checkReaders(): void {
    this.#database.readerCheck();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#database.close();
  }

  /** The error to throw. Errors of reading without a code come from bytes that are no row. */
  #judged(error: unknown): unknown {
    if (error instanceof IndexDamaged || this.#isClosed) return error;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const isOurs = typeof code === 'number' ? isDamage(error, this.#isWriting) : code === undefined;
    if (!isOurs) return error;
    const message = `The index in ${this.#folder} is damaged: ${messageOf(error)}`;
    const damaged = new IndexDamaged(message, { cause: error });
    this.onDamage(damaged);
    return damaged;
  }
}

/** In the order of the database: that of the bytes, which differs from that of the text beyond U+FFFF only. */
const isAfter = (key: string, before: string): boolean =>
  key > before || (key !== before && Buffer.compare(Buffer.from(key), Buffer.from(before)) > 0);

/** FNV-1a over the value, then the key. */
function checksum(key: string, bytes: Uint8Array, end: number): number {
  let sum = 0x811c9dc5;
  for (let place = 0; place < end; place += 1) sum = Math.imul(sum ^ (bytes[place] as number), 0x01000193);
  for (let place = 0; place < key.length; place += 1) sum = Math.imul(sum ^ key.charCodeAt(place), 0x01000193);
  return sum >>> 0;
}

const byteAt = (bytes: Uint8Array, place: number): number => bytes[place] as number;

const readChecksum = (bytes: Uint8Array, at: number): number =>
  (byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24)) >>>
  0;
