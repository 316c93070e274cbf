// How the index is laid out on disk: keys of its tables, and rows as short arrays.
import type { BagRow, BucketRow, CopyRow, FileProblem, FileRow, IndexSource, ObjectRow } from './object-index.ts';

/** Another layout has another number; an index of another format is rebuilt. */
export const indexFormat = 3;

/** One letter for each version of the directory that has rows on disk. */
export const slots = [...'abcdefghijklmnopqrstuvwxyz'];

/** Tables of a version: objects, ids of a bag's objects, bags, buckets, ids of objects with a problem, totals. */
export type Table = 'o' | 'x' | 'b' | 'k' | 'p' | 't';
export const tables: readonly Table[] = ['o', 'x', 'b', 'k', 'p', 't'];

/** Key of the letter of the version that is read: one byte, since every read needs it. */
export const slotKey = 's';
export const headKey = 'h';
export const markKey = (name: string): string => `m${name}`;

export const rowKey = (table: Table, slot: string, name: string): string => table + slot + name;
/** Every key of this table and version is at or after `rowKey(table, slot, '')` and before this. */
export const tableEnd = (table: Table, slot: string): string => table + String.fromCharCode(slot.charCodeAt(0) + 1);

/** Before the keys of a bag's objects; its successor ends them. No name has a control character. */
export const memberStart = (slot: string, bag: string): string => `x${slot}${bag}\t`;
export const memberEnd = (slot: string, bag: string): string => `x${slot}${bag}\n`;

/** Copies belong to no version. Their totals have a key of their own, and each copy one more for its place by priority. */
export const copyTotalsKey = 'C';
export const copyStart = 'c';
export const copyEnd = 'd';
export const copyKey = (id: string): string => copyStart + id;
export const priorityStart = 'r';
export const priorityEnd = 's';

const priorityDigits = 16;
const float = new DataView(new ArrayBuffer(8));

/** Keys are in the order of the numbers: positive ones get the sign bit, of negative ones every bit is flipped. */
export function priorityKey({ priority }: CopyRow, id: string): string {
  // -0 equals 0.
  float.setFloat64(0, priority + 0);
  const bits = float.getBigUint64(0);
  const ordered = bits >> 63n === 0n ? bits | (1n << 63n) : ~bits & 0xffff_ffff_ffff_ffffn;
  return priorityStart + ordered.toString(16).padStart(priorityDigits, '0') + id;
}

export const idOfPriorityKey = (key: string): string => key.slice(priorityStart.length + priorityDigits);

/** What the index says about itself. */
export interface Head {
  readonly format: number;
  readonly id: string;
  readonly source: IndexSource;
  readonly readAt: string | null;
  readonly version: number;
  /** The version that is being built; null: none. */
  readonly building: string | null;
  /** Versions whose rows are to be removed. */
  readonly old: readonly string[];
}

type PackedFile = readonly [
  name: string,
  found: readonly [path: string, size: number, mtimeMs: number, ctimeMs: number, ino: number] | null,
  type: string | null,
  hash: string | null,
  problem: readonly [isMissing: boolean, message: string] | null,
];

export type PackedObject = readonly [
  bag: string,
  size: number | null,
  type: string | null,
  hash: string | null,
  accepted: boolean,
  file?: PackedFile | null,
  url?: string,
];

export function packObject({ bag, size, type, hash, accepted, file, url }: ObjectRow): PackedObject {
  if (url !== null) return [bag, size, type, hash, accepted, file && packFile(file), url];
  if (file !== null) return [bag, size, type, hash, accepted, packFile(file)];
  return [bag, size, type, hash, accepted];
}

function packFile({ name, found, type, hash, problem }: FileRow): PackedFile {
  return [
    name,
    found && [found.path, found.size, found.mtimeMs, found.ctimeMs, found.ino],
    type,
    hash,
    problem && [problem.kind === 'missing', problem.message],
  ];
}

export function unpackObject(row: PackedObject): ObjectRow {
  const file = row[5] ? unpackFile(row[5]) : null;
  return { bag: row[0], size: row[1], type: row[2], hash: row[3], accepted: row[4], file, url: row[6] ?? null };
}

function unpackFile(row: PackedFile): FileRow {
  const found = row[1];
  const problem = row[4];
  return {
    name: row[0],
    found: found && { path: found[0], size: found[1], mtimeMs: found[2], ctimeMs: found[3], ino: found[4] },
    type: row[2],
    hash: row[3],
    problem: problem && unpackProblem(problem),
  };
}

const unpackProblem = ([isMissing, message]: readonly [boolean, string]): FileProblem => ({
  kind: isMissing ? 'missing' : 'damaged',
  message,
});

export type PackedBag = readonly [
  distributionBuckets: readonly string[],
  storageBuckets: readonly string[],
  pass: number,
  objects: number,
  bytes: number,
  sizeUnknown: number,
  unaccepted: number,
];

export const packBag = (bag: BagRow): PackedBag => [
  bag.distributionBuckets,
  bag.storageBuckets,
  bag.pass,
  bag.objects,
  bag.bytes,
  bag.sizeUnknown,
  bag.unaccepted,
];

// By position, and without spreads: this runs for every bag of a dry run, and for every request.
export const unpackBag = (row: PackedBag): BagRow => ({
  distributionBuckets: row[0],
  storageBuckets: row[1],
  pass: row[2],
  objects: row[3],
  bytes: row[4],
  sizeUnknown: row[5],
  unaccepted: row[6],
});

export type PackedBucket = readonly [workers: readonly number[], distributing: boolean];

export const packBucket = ({ workers, distributing }: BucketRow): PackedBucket => [workers, distributing];

export const unpackBucket = ([workers, distributing]: PackedBucket): BucketRow => ({ workers, distributing });

export type PackedCopy = readonly [
  size: number,
  mtimeMs: number,
  ctimeMs: number,
  ino: number,
  type: string,
  hash: string | null,
  originTag: string | null,
  uses: number,
  lastUseSec: number,
  priority: number,
];

export const packCopy = (row: CopyRow): PackedCopy => [
  row.size,
  row.mtimeMs,
  row.ctimeMs,
  row.ino,
  row.type,
  row.hash,
  row.originTag,
  row.uses,
  row.lastUseSec,
  row.priority,
];

// Without spreads: this runs for every request.
export const unpackCopy = (row: PackedCopy): CopyRow => ({
  size: row[0],
  mtimeMs: row[1],
  ctimeMs: row[2],
  ino: row[3],
  type: row[4],
  hash: row[5],
  originTag: row[6],
  uses: row[7],
  lastUseSec: row[8],
  priority: row[9],
});
