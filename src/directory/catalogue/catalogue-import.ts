// Imports a catalogue into a new version of the index, in steps of bounded size.
import type { IndexTransaction, IndexWriter, NewVersion, ObjectRow } from '../../store/object-index.ts';
import { bagId, bucketSet } from './bag-id.ts';
import type { CatalogueEntry } from './catalogue-entries.ts';
import { ErrorList, errorLine } from './catalogue-errors.ts';
import type { CatalogueFile } from './catalogue-file.ts';
import type { StatedObject, StatedWorker } from './catalogue-schema.ts';
import type { IndexWrites } from './index-writes.ts';
import { type Located, locateFile } from './object-file.ts';
import { isCatalogueRow, lacksHash, rowOf, urlRowOf } from './object-row.ts';
import { Slices } from './slices.ts';

export interface ImportPorts {
  readonly index: IndexWriter;
  readonly writes: IndexWrites;
  /** Determines types and hashes of the first objects, as far as time allows. @returns the rows in the same order */
  readonly workOut: (rows: readonly ObjectRow[]) => Promise<readonly ObjectRow[]>;
  /** Called from time to time with the number of objects read. */
  readonly onProgress: (objects: number) => void;
  readonly signal: AbortSignal;
}

export type ImportResult =
  | {
      readonly result: 'imported';
      readonly objects: number;
      readonly filesToHash: number;
      readonly version: NewVersion;
      readonly contentHash: string;
    }
  | { readonly result: 'refused'; readonly errors: readonly string[] };

/** Objects per transaction; it holds the event loop for some 20 ms. */
const objectsPerStep = 2000;
/** Bags known to be in the new version, so that they need not be read. */
const maxKnownBags = 10_000;

type ObjectEntry = Extract<CatalogueEntry, { readonly object: StatedObject }>;
type WorkerEntry = Extract<CatalogueEntry, { readonly worker: StatedWorker }>;

/** For an unknown folder: the catalogue is rejected anyway, and only its other errors matter. */
const notLocated: Located = { fault: 'missing', message: 'was not checked' };

/**
 * Fills the new version; the caller publishes it.
 * @throws {NotWritten} and the signal's reason; readers then see the old version
 */
export async function importCatalogue(file: CatalogueFile, name: string, ports: ImportPorts): Promise<ImportResult> {
  const { index, writes, signal } = ports;
  const errors = new ErrorList(name);
  const version = writes.attempt('version', () => index.newVersion());
  const workers = new Set<number>();
  const bags = new Set<string>();
  const slices = new Slices();
  let objects = 0;
  let filesToHash = 0;
  let contentHash = '';

  /** The rows of some objects, each with what is known of the same version of its file. */
  async function rowsOf(entries: readonly ObjectEntry[]): Promise<readonly ObjectRow[]> {
    const rows: ObjectRow[] = [];
    index.refresh();
    for (const { object } of entries) {
      if (slices.isOver) {
        await slices.next();
        index.refresh();
      }
      rows.push(rowFor(object));
    }
    return errors.isEmpty ? ports.workOut(rows) : rows;
  }

  function rowFor(object: StatedObject): ObjectRow {
    const bag = bagId(bucketSet(object.buckets));
    if (object.url !== undefined) return urlRowOf(object, bag);
    const located = errors.isEmpty ? locateFile(file.root, object.file) : notLocated;
    return rowOf(object, bag, located, index.object(object.id));
  }

  function putObjects(tx: IndexTransaction, entries: readonly ObjectEntry[], rows: readonly ObjectRow[]): string[] {
    const repeated: string[] = [];
    for (const [at, { object, line }] of entries.entries()) {
      const row = rows[at] as ObjectRow;
      // A catalogue in YAML has been checked as a whole.
      if (line !== null && tx.object(object.id) !== undefined) {
        repeated.push(errorLine(name, line, 'id', `${object.id} is also the id of an earlier object`));
        continue;
      }
      if (!bags.has(row.bag)) {
        if (bags.size === maxKnownBags) bags.clear();
        bags.add(row.bag);
        if (tx.bag(row.bag) === undefined) putBag(tx, row.bag, bucketSet(object.buckets));
      }
      tx.putObject(object.id, row);
      objects += 1;
      if (isCatalogueRow(row) && lacksHash(row)) filesToHash += 1;
    }
    return repeated;
  }

  async function takeObjects(entries: readonly ObjectEntry[]): Promise<void> {
    const rows = await rowsOf(entries);
    for (const line of writes.attempt('version', () => version.transact((tx) => putObjects(tx, entries, rows)))) {
      errors.add(line);
    }
    ports.onProgress(objects);
    await slices.next();
  }

  function takeWorkers(entries: readonly WorkerEntry[]): void {
    const fresh = entries.filter(({ worker: { id }, line }) => {
      if (!workers.has(id)) return workers.add(id);
      errors.add(errorLine(name, line ?? 1, 'worker', `${id} already has a line`));
      return false;
    });
    writes.attempt('version', () =>
      version.transact((tx) => {
        for (const { worker } of fresh) putWorker(tx, worker);
      }),
    );
  }

  const onHash = (hash: string) => {
    contentHash = hash;
  };
  for await (const entries of file.entries(onHash, signal)) {
    signal.throwIfAborted();
    for (const entry of entries) if ('error' in entry) errors.add(entry.error);
    const found = entries.filter((entry): entry is ObjectEntry => 'object' in entry);
    for (let at = 0; at < found.length; at += objectsPerStep) {
      await takeObjects(found.slice(at, at + objectsPerStep));
      signal.throwIfAborted();
    }
    const holders = entries.filter((entry): entry is WorkerEntry => 'worker' in entry);
    if (holders.length > 0) takeWorkers(holders);
  }
  if (!errors.isEmpty) return { result: 'refused', errors: errors.lines };
  return { result: 'imported', objects, filesToHash, version, contentHash };
}

function putBag(tx: IndexTransaction, id: string, distributionBuckets: readonly string[]): void {
  tx.putBag(id, { distributionBuckets, storageBuckets: [], pass: 0 });
  for (const bucket of distributionBuckets) {
    if (tx.bucket(bucket) === undefined) tx.putBucket(bucket, { workers: [], distributing: true });
  }
}

function putWorker(tx: IndexTransaction, { id, buckets }: StatedWorker): void {
  for (const bucket of bucketSet(buckets)) {
    const workers = tx.bucket(bucket)?.workers ?? [];
    tx.putBucket(bucket, { workers: [...workers, id], distributing: true });
  }
}
