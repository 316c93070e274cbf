// A directory in memory whose contents are set by its caller. For tests.
import { isDeepStrictEqual } from 'node:util';
import type { DataObject } from '../../machines/answer.ts';
import type { Condition } from '../base/condition.ts';
import type { LookUp } from '../ipc/look-up.ts';
import type { IndexTransaction, IndexWriter, ObjectRow } from '../store/object-index.ts';
import type { Directory } from './directory.ts';

export interface MemoryContents {
  readonly objects: readonly DataObject[];
  /** The workers that actively distribute a bucket. */
  readonly bucketWorkers: Readonly<Record<string, readonly number[]>>;
}

export interface MemoryDirectory extends Directory {
  /** Before the start: sets the contents of the first read. */
  replace(contents: MemoryContents): void;
  setConditions(conditions: readonly Condition[]): void;
  /** Ids of bad copies, in the order of the reports. */
  readonly badCopies: readonly string[];
}

const nothing: MemoryContents = { objects: [], bucketWorkers: {} };
const contentsMark = 'contents';

/** Every change is in the index when `start` or `replace` returns. Objects in the same buckets form one bag. */
export function memoryDirectory(index: IndexWriter, first: MemoryContents = nothing): MemoryDirectory {
  const listeners = new Set<() => void>();
  const badCopies: string[] = [];
  let state: 'new' | 'started' | 'stopped' = 'new';
  let contents = first;
  let conditions: readonly Condition[] = [];

  const notify = (): void => {
    for (const listener of [...listeners]) listener();
  };

  function publish(): void {
    const mark = JSON.stringify(contents);
    if (index.mark(contentsMark) !== mark) {
      const version = index.newVersion();
      version.transact((tx) => write(tx, contents));
      version.publish((tx) => {
        tx.putMark(contentsMark, mark);
        tx.setRead(new Date().toISOString());
      });
      while (index.tidy());
    }
    notify();
  }

  function lookUp(id: string): LookUp {
    if (index.summary.readAt === null) return { result: 'undecided' };
    const object = contents.objects.find((it) => it.id === id);
    if (object === undefined) return { result: 'unknown' };
    const workers = object.buckets.map((bucket) => [bucket, contents.bucketWorkers[bucket] ?? []] as const);
    return { result: 'found', object, bucketWorkers: Object.fromEntries(workers) };
  }

  return {
    start: () => {
      if (state !== 'new') return;
      state = 'started';
      publish();
    },
    stop: async () => {
      state = 'stopped';
      listeners.clear();
    },
    configure: () => {},
    unread: () => [],
    lookUp: async (id) => lookUp(id),
    reportBadCopy: (id) => {
      badCopies.push(id);
    },
    get conditions() {
      return conditions;
    },
    get progress() {
      const { readAt } = index.summary;
      const none = { bagsRead: null, objectsRead: null, filesToHash: 0, height: null, squidVersion: null };
      return { activity: 'idle' as const, readAt, ...none };
    },
    subscribe: (listener) => {
      if (state !== 'stopped') listeners.add(listener);
      return () => listeners.delete(listener);
    },
    replace: (next) => {
      contents = next;
      if (state === 'started') publish();
    },
    setConditions: (next) => {
      if (isDeepStrictEqual(next, conditions)) return;
      conditions = next;
      notify();
    },
    badCopies,
  };
}

function write(tx: IndexTransaction, { objects, bucketWorkers }: MemoryContents): void {
  const buckets = new Set([...Object.keys(bucketWorkers), ...objects.flatMap((object) => object.buckets)]);
  for (const id of buckets) tx.putBucket(id, { workers: [...new Set(bucketWorkers[id])], distributing: true });
  for (const object of objects) {
    const bag = JSON.stringify([...object.buckets].sort());
    tx.putBag(bag, { distributionBuckets: object.buckets, storageBuckets: [], pass: 0 });
    tx.putObject(object.id, rowOf(object, bag));
  }
}

function rowOf({ path, size, type, hash, verified, accepted }: DataObject, bag: string): ObjectRow {
  const stated = { bag, size, type, accepted };
  if (path === null) return { ...stated, hash, file: null, url: null };
  // Stat values that no real file has, so that the file counts as changed.
  const facts = verified ?? { size: size ?? 0, mtimeMs: 0, ctimeMs: 0, ino: 0 };
  const file = {
    name: path,
    found: { path, ...facts },
    type: null,
    hash: verified === null ? null : hash,
    problem: null,
  };
  return { ...stated, hash, file, url: null };
}
