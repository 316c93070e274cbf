// The database file of the index: opening it without a crash, its size, and its errors in words.
import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { open, type RootDatabase } from 'lmdb';
import { codeOf, messageOf } from '../base/errors.ts';

export type Database = RootDatabase<unknown, string>;

/** The file cannot be an index, or not a whole one. */
export class IndexDamaged extends Error {}

/** Address space that a process maps at first, in bytes; more is mapped when the file outgrows it. It costs no memory. */
const mapSize = 2 ** 30;

/** Slots for processes and their iterations. Those of killed processes are freed. */
const maxReaders = 500;

export const dataFile = (folder: string): string => join(folder, 'data.mdb');

/**
 * @throws {IndexDamaged}, or an error that says why the file system does not allow it
 */
export function openDatabase(folder: string, mode: 'read' | 'write'): Database {
  checkFile(dataFile(folder));
  try {
    // LMDB would create it with the mode of the umask.
    if (mode === 'write') mkdirSync(folder, { recursive: true, mode: 0o700 });
    return open<unknown, string>(folder, {
      ...{ noSubdir: false, readOnly: mode === 'read', mapSize, maxReaders },
      // Synced before every commit, so that the file is whole after a power failure; the last commit may then be missing.
      ...{ overlappingSync: false, noMetaSync: true },
      ...{ encoding: 'msgpack', useRecords: false },
    });
  } catch (error) {
    throw asStoreError(error, `The index in ${folder} cannot be opened`);
  }
}

/** Sizes in bytes, in a transaction `used` with its changes; the number of commits so far, and of rows. */
export function databaseSize(database: Database): {
  readonly used: number;
  readonly file: number;
  readonly commits: number;
  readonly rows: number;
} {
  const stats = database.getStats() as DatabaseStats;
  const pages = metaPages + pagesOf(stats) + pagesOf(stats.free);
  const file = (stats.lastPageNumber + 1) * stats.pageSize;
  return { used: pages * stats.pageSize, file, commits: stats.lastTxnId, rows: stats.entryCount };
}

interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface DatabaseStats extends TreeStats {
  readonly pageSize: number;
  readonly entryCount: number;
  /** Of the last commit. */
  readonly lastPageNumber: number;
  readonly lastTxnId: number;
  readonly free: TreeStats;
}

const pagesOf = (tree: TreeStats): number => tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages;

/** A commit may leave the last pages unwritten if they are free. Then the file looks truncated, so it is extended. */
export function completeFile(folder: string, bytes: number): void {
  const path = dataFile(folder);
  if (statSync(path).size < bytes) truncateSync(path, bytes);
}

/** An error of the database in words: a damaged index, a system error with its `code`, or the error itself. */
export function asStoreError(error: unknown, prefix: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'number') return error;
  if (damageCodes.has(code)) return new IndexDamaged(`${prefix}: ${messageOf(error)}`, { cause: error });
  if (code <= 0) return new Error(`${prefix}: ${messageOf(error)}`, { cause: error });
  const name = getSystemErrorName(-code);
  const reason = hints[name] ?? messageOf(error);
  return Object.assign(new Error(`${prefix}: ${name}, ${reason}`, { cause: error }), { code: name, errno: -code });
}

/**
 * Whether an error of a read or a transaction comes from wrong bytes in the file: then the index is to be set aside and rebuilt.
 * Not every damage is an error: LMDB ends the process (SIGABRT, SIGSEGV) at some pages.
 * @param isWriting within a transaction that writes, which any earlier error leaves unusable
 */
export function isDamage(error: unknown, isWriting = false): boolean {
  if (error instanceof IndexDamaged) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' && (damageCodes.has(code) || (code === afterDamage && !isWriting));
}

/** Of a read: an earlier one in the same transaction met a damaged page. */
const afterDamage = -30782;

/** Page not found, corrupted, panic, version mismatch, invalid, tree too deep, incompatible, unexpected problem. */
const damageCodes = new Set([-30797, -30796, -30795, -30794, -30793, -30787, -30784, -30779]);

const hints: Readonly<Record<string, string>> = {
  ENODEV: 'its file system does not support memory-mapped files',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'its file system is read-only',
  // LMDB's answer to a write that ends early, as the one that fills a disk does.
  EIO: 'the disk is full or failed',
  ENOSPC: 'the disk is full',
  ENOLCK: 'its file system does not support locks',
};

// The two pages at the start of the file, in the layout of LMDB's data format 2 on a 64-bit little-endian machine.
const metaPages = 2;
const metaBytes = 168;
const pageFlags = { offset: 18, meta: 8 };
const magic = { offset: 24, value: 0xbeefc0de };
const dataVersion = { offset: 28, value: 2 };
const pageSizeOffset = 48;
const lastPageOffset = 144;
const transactionOffset = 152;

/**
 * Reading a page that is not in the file would kill the process (SIGBUS), so its length is compared with both meta pages first.
 * Wrong bytes inside other pages are not found here.
 * @throws {IndexDamaged}; nothing if there is no file, or an empty one
 */
function checkFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) return;
    const first = metaAt(file, 0);
    const pageSize = first.readUInt32LE(pageSizeOffset);
    if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0)
      throw new IndexDamaged('no page size');
    const metas = [first, metaAt(file, pageSize)];
    // The other one may be newer than the file's end if its commit was interrupted: the newest must be whole.
    const newest = metas.reduce((a, b) => (transactionOf(b) > transactionOf(a) ? b : a));
    const needed = (newest.readBigUInt64LE(lastPageOffset) + 1n) * BigInt(pageSize);
    if (needed > BigInt(size)) throw new IndexDamaged(`${path} has ${size} bytes, not ${needed}`);
  } finally {
    closeSync(file);
  }
}

const transactionOf = (meta: Buffer): bigint => meta.readBigUInt64LE(transactionOffset);

function metaAt(file: number, position: number): Buffer {
  const bytes = Buffer.alloc(metaBytes);
  const length = readSync(file, bytes, 0, metaBytes, position);
  const isMeta =
    length === metaBytes &&
    (bytes.readUInt16LE(pageFlags.offset) & pageFlags.meta) !== 0 &&
    bytes.readUInt32LE(magic.offset) === magic.value &&
    (bytes.readUInt32LE(dataVersion.offset) & 0xffff) === dataVersion.value;
  if (!isMeta) throw new IndexDamaged('the file does not begin like an index');
  return bytes;
}
