// The index port: what the directory says about every object, on disk, written by one process and read by all.
import type { FileFacts } from '../../machines/answer.ts';
import type { DirectorySource } from '../ipc/content-messages.ts';

/** The directory that an index was built from. */
export type IndexSource = DirectorySource;

/** One object. The id, a decimal number of any length, is its key. */
export interface ObjectRow {
  readonly bag: string;
  /** Bytes, as the directory states; null: not stated. */
  readonly size: number | null;
  /** MIME type, as the directory states; null: not stated. */
  readonly type: string | null;
  /** BLAKE3 multihash, base58btc, as the directory states; null: not stated. */
  readonly hash: string | null;
  /** False: not (correctly) uploaded. */
  readonly accepted: boolean;
  /** Null: the catalogue names no file, or the object does not come from a catalogue. */
  readonly file: FileRow | null;
  /** Where a catalogue says that its bytes can be fetched: an http or https URL; null: nowhere, or from the bag's storage buckets. */
  readonly url: string | null;
}

/** A whole copy of an object in the cache directory; its path follows from the id (`copyPath`). Not part of any version. */
export interface CopyRow extends FileFacts {
  /** MIME type, from the bytes. */
  readonly type: string;
  /** Hash of the bytes of this version of the file, which matches the directory's where that states one; null: not hashed yet (adopted). */
  readonly hash: string | null;
  /** Validator of an origin that states no hash; null: none. */
  readonly originTag: string | null;
  /** How often it was requested, decayed as the eviction policy wants. */
  readonly uses: number;
  /** Seconds since the epoch. */
  readonly lastUseSec: number;
  /** Copies with the lowest are evicted first. */
  readonly priority: number;
}

/** The file of a catalogue's object, as of its last check. */
export interface FileRow {
  /** Relative to the catalogue's folder, as stated there. */
  readonly name: string;
  /** Absolute path with every link resolved, and the version of the file; null: there is no file to serve. */
  readonly found: (FileFacts & { readonly path: string }) | null;
  /** MIME type read from this version of the file; null: not read yet, or stated. */
  readonly type: string | null;
  /** Hash of this version of the file; null: not hashed yet. */
  readonly hash: string | null;
  /** Why the object is not served; null: it is. */
  readonly problem: FileProblem | null;
}

export interface FileProblem {
  readonly kind: 'missing' | 'damaged';
  /** For a person, to be read after the file's name: `does not exist`. */
  readonly message: string;
}

/** What a driver states about a bag; the index adds the sums. */
export interface BagAssignment {
  /** Ids of the distribution buckets that the bag is assigned to. */
  readonly distributionBuckets: readonly string[];
  /** Ids of its storage buckets; none for a catalogue. */
  readonly storageBuckets: readonly string[];
  /** The sync that saw the bag last; 0 for a catalogue. */
  readonly pass: number;
}

export interface BagRow extends BagAssignment {
  /** Accepted objects: their number, the sum of their known sizes, and the number of unknown sizes. */
  readonly objects: number;
  readonly bytes: number;
  readonly sizeUnknown: number;
  /** Objects that are not accepted. */
  readonly unaccepted: number;
}

export interface BucketRow {
  /** Ids of the workers that actively distribute it. */
  readonly workers: readonly number[];
  readonly distributing: boolean;
}

export interface IndexTotals {
  readonly objects: number;
  readonly bags: number;
  /** Objects with a file that can be served, and the sum of their sizes. */
  readonly files: number;
  readonly fileBytes: number;
  /** Objects whose file has a problem of this kind. */
  readonly missing: number;
  readonly damaged: number;
  /** Copies in the cache directory, and the sum of their sizes. */
  readonly copies: number;
  readonly copyBytes: number;
}

export interface IndexSummary {
  /** Random; a rebuilt index has another one. */
  readonly id: string;
  readonly source: IndexSource;
  /** When the directory was first read completely, ISO 8601; null: not yet. */
  readonly readAt: string | null;
  /** The version that is read: a published catalogue increments it. 0: none. */
  readonly version: number;
  readonly totals: IndexTotals;
}

/** The read side. Iterations see one state, whatever is committed during them. */
export interface ObjectIndex {
  /** Every later read sees all that was committed before this call. Costs about a microsecond. */
  refresh(): void;
  readonly summary: IndexSummary;
  object(id: string): ObjectRow | undefined;
  bag(id: string): BagRow | undefined;
  bucket(id: string): BucketRow | undefined;
  bags(): Iterable<readonly [id: string, bag: BagRow]>;
  buckets(): Iterable<readonly [id: string, bucket: BucketRow]>;
  /** Ids of all objects of a bag, accepted or not. */
  objectsOfBag(bag: string): Iterable<string>;
  /** Ids in the order of the index, from the one after `after`; '' for all. */
  objectIds(after: string): Iterable<string>;
  /** Objects whose file has a problem, in the order of the index. */
  problems(): Iterable<readonly [id: string, problem: FileProblem]>;
  copy(id: string): CopyRow | undefined;
  /** Ids of all copies, from the one after `after`; '' for all. */
  copyIds(after: string): Iterable<string>;
  /** Copies by ascending priority. */
  copiesByPriority(): Iterable<readonly [id: string, copy: CopyRow]>;
  /** A value stored by the driver, such as the position of a sync; undefined: none. */
  mark(name: string): unknown;
  close(): Promise<void>;
}

/** Reads in a transaction see its own writes. */
export interface IndexTransaction
  extends Pick<
    ObjectIndex,
    'object' | 'bag' | 'bucket' | 'bags' | 'buckets' | 'objectsOfBag' | 'copy' | 'mark' | 'summary'
  > {
  /** The bag must exist. Updates sums and totals. */
  putObject(id: string, row: ObjectRow): void;
  removeObject(id: string): void;
  putBag(id: string, assignment: BagAssignment): void;
  /** Removes its objects as well. */
  removeBag(id: string): void;
  putBucket(id: string, row: BucketRow): void;
  removeBucket(id: string): void;
  putCopy(id: string, row: CopyRow): void;
  removeCopy(id: string): void;
  /** @param value plain data; undefined: remove it */
  putMark(name: string, value: unknown): void;
  /** The directory has been read completely. */
  setRead(at: string): void;
}

/** The write side: one process at a time. */
export interface IndexWriter extends ObjectIndex {
  /**
   * Commits everything that `change` does at once, or nothing if it throws.
   * @throws {IndexFull} if the index would exceed its maximum size; system errors
   */
  transact<T>(change: (tx: IndexTransaction) => T): T;
  /** Starts an empty version, invisible to readers. An unpublished one is discarded. */
  newVersion(): NewVersion;
  /** Removes some rows of versions that are no longer read. @returns whether any are left: call it again later */
  tidy(): boolean;
  /**
   * Reads some rows, by and by all, to find damage that no other read may meet.
   * @returns whether any are left of this round: call it again later
   * @throws {IndexDamaged}
   */
  check(): boolean;
}

/** A version of the directory that is being built in steps of bounded size. Marks belong to the index, not to a version. */
export interface NewVersion {
  transact<T>(change: (tx: IndexTransaction) => T): T;
  /** Readers see this version from now on. @param change a last step, in the same transaction */
  publish(change?: (tx: IndexTransaction) => void): void;
}

/** The index has reached its maximum size. */
export class IndexFull extends Error {
  override readonly name = 'IndexFull';
}
