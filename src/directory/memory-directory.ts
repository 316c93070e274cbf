// The directory's twin in memory, with contents set by its caller. For tests, and for a node without a directory.
import type { DataObject } from '../../machines/answer.ts';
import type { Condition } from '../base/condition.ts';
import type { DirectorySnapshot } from '../ipc/messages.ts';
import { isCatalogueBucketId } from './catalogue/catalogue-schema.ts';
import type { Directory } from './directory.ts';
import { DirectoryState } from './directory-state.ts';

export interface MemoryDirectory extends Directory {
  /** Before the start: sets the contents of the first read. */
  replace(snapshot: DirectorySnapshot): void;
  /** Unknown objects are ignored. */
  update(objects: readonly DataObject[]): void;
  setConditions(conditions: readonly Condition[]): void;
  /** Ids of bad copies, in the order of the reports. */
  readonly doubted: readonly string[];
}

const nothing: DirectorySnapshot = { objects: [], bucketWorkers: {} };

export function memoryDirectory(
  first: DirectorySnapshot = nothing,
  isBucketId: (text: string) => boolean = isCatalogueBucketId,
): MemoryDirectory {
  const known = new DirectoryState();
  const doubted: string[] = [];
  let state: 'new' | 'started' | 'stopped' = 'new';
  let snapshot = first;

  function publish(): void {
    const replacement = known.replace();
    replacement.add(snapshot.objects);
    replacement.finish(snapshot.bucketWorkers);
  }

  return {
    start: async () => {
      if (state !== 'new') return;
      state = 'started';
      publish();
    },
    stop: async () => {
      state = 'stopped';
      known.close();
    },
    isStuck: false,
    subscribe: (listener) => (state === 'stopped' ? () => {} : known.subscribe(listener)),
    subscribeConditions: (listener) => (state === 'stopped' ? () => {} : known.subscribeConditions(listener)),
    get conditions() {
      return known.conditions;
    },
    knows: (bucketId) => known.knows(bucketId),
    bucketsOf: (workerId) => known.bucketsOf(workerId),
    contents: () => known.contents(),
    isBucketId,
    doubt: (objectId) => {
      doubted.push(objectId);
    },
    replace: (next) => {
      snapshot = next;
      if (state === 'started') publish();
    },
    update: (objects) => {
      const more = new Map(objects.map((object) => [object.id, object]));
      const updated = snapshot.objects.flatMap(({ id }) => more.get(id) ?? []);
      snapshot = { ...snapshot, objects: snapshot.objects.map((object) => more.get(object.id) ?? object) };
      if (state === 'started' && updated.length > 0) known.update(updated);
    },
    setConditions: (conditions) => known.setConditions(conditions),
    doubted,
  };
}
