// Puts objects into an index, as a driver of a directory would have read them.
import { type DataObject, factsOf } from '../../machines/answer.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { FileRow, IndexTransaction, IndexWriter, ObjectRow } from '../../src/store/object-index.ts';

type BucketWorkers = Readonly<Record<string, readonly number[]>>;

/** By default, worker 0 distributes bucket 0:0. */
const ofWorker0: BucketWorkers = { '0:0': [0] };

/** The directory was read, and these objects are all there is. */
export function publishObjects(
  index: IndexWriter,
  objects: readonly DataObject[],
  bucketWorkers: BucketWorkers = ofWorker0,
): void {
  index.newVersion().publish((tx) => {
    for (const [id, workers] of Object.entries(bucketWorkers)) tx.putBucket(id, { workers, distributing: true });
    for (const object of objects) put(tx, object);
    tx.setRead(new Date(0).toISOString());
  });
}

/** Adds these objects, or replaces those that are there. */
export function putObjects(index: IndexWriter, objects: readonly DataObject[]): void {
  index.transact((tx) => {
    for (const object of objects) put(tx, object);
  });
}

/** An index of a catalogue with these objects in bucket 0:0 of worker 0. */
export function indexOf(...objects: DataObject[]): IndexWriter {
  const index = memoryIndex({ kind: 'catalogue', name: '/catalogue.yaml' });
  publishObjects(index, objects);
  return index;
}

/** As in a catalogue, objects with the same buckets are one bag. */
function put(tx: IndexTransaction, { id, buckets, size, type, hash, accepted, ...object }: DataObject): void {
  const bag = JSON.stringify(buckets);
  if (tx.bag(bag) === undefined) tx.putBag(bag, { distributionBuckets: buckets, storageBuckets: [], pass: 0 });
  const row: ObjectRow = { bag, size, type, hash, accepted, file: fileOf({ id, size, hash, ...object }), url: null };
  tx.putObject(id, row);
}

type FileOfObject = Pick<DataObject, 'id' | 'path' | 'size' | 'verified' | 'hash'>;

function fileOf({ id, path, size, verified, hash }: FileOfObject): FileRow | null {
  if (path === null) return null;
  const unchecked = { size: size ?? 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };
  const found = { ...factsOf(verified ?? unchecked), path };
  return { name: id, found, type: null, hash: verified === null ? null : hash, problem: null };
}
