// The current contents of a directory and its subscribers: shared by all kinds of directory.
import type { DataObject } from '../../machines/answer.ts';
import type { Condition, DatedCondition } from '../base/condition.ts';
import type { DirectoryChange, DirectorySnapshot } from '../ipc/messages.ts';
import type { ConditionsListener, DirectoryContents, DirectoryListener } from './directory.ts';

/** A new directory that arrives in pieces, so that a large one does not block the event loop. */
export interface Replacement {
  add(objects: readonly DataObject[]): void;
  /** Swaps it in. */
  finish(bucketWorkers: DirectorySnapshot['bucketWorkers']): void;
}

const none: readonly string[] = [];

export class DirectoryState {
  /** Null until the first directory is complete. */
  #objects: Map<string, DataObject> | null = null;
  #buckets = new Set<string>();
  #bucketWorkers: DirectorySnapshot['bucketWorkers'] = {};
  /** Computed on first use. */
  #workerBuckets: ReadonlyMap<number, readonly string[]> | null = null;
  #conditions: readonly DatedCondition[] = [];
  readonly #listeners = new Set<DirectoryListener>();
  readonly #conditionsListeners = new Set<ConditionsListener>();

  replace(): Replacement {
    const objects = new Map<string, DataObject>();
    const buckets = new Set<string>();
    return {
      add: (more) => {
        for (const object of more) {
          objects.set(object.id, object);
          for (const id of object.buckets) buckets.add(id);
        }
      },
      finish: (bucketWorkers) => {
        for (const id of Object.keys(bucketWorkers)) buckets.add(id);
        this.#objects = objects;
        this.#buckets = buckets;
        this.#bucketWorkers = bucketWorkers;
        this.#workerBuckets = null;
        this.#notify({ type: 'replaced', snapshot: { objects: [...objects.values()], bucketWorkers } });
      },
    };
  }

  /** Updates existing objects, whose buckets have not changed. */
  update(objects: readonly DataObject[]): void {
    if (this.#objects === null) return;
    for (const object of objects) this.#objects.set(object.id, object);
    this.#notify({ type: 'updated', objects });
  }

  setConditions(conditions: readonly Condition[]): void {
    if (conditions.length === 0 && this.#conditions.length === 0) return;
    const now = new Date().toISOString();
    const sinceOf = (type: string) => this.#conditions.find((condition) => condition.type === type)?.since ?? now;
    this.#conditions = conditions.map((condition) => ({ ...condition, since: sinceOf(condition.type) }));
    for (const listener of [...this.#conditionsListeners]) listener(this.#conditions);
  }

  get conditions(): readonly DatedCondition[] {
    return this.#conditions;
  }

  get isEmpty(): boolean {
    return this.#objects === null;
  }

  knows(bucketId: string): boolean {
    return this.#buckets.has(bucketId);
  }

  bucketsOf(workerId: number): readonly string[] {
    this.#workerBuckets ??= bucketsByWorker(this.#bucketWorkers);
    return this.#workerBuckets.get(workerId) ?? none;
  }

  contents(): DirectoryContents {
    return { objects: this.#objects?.values() ?? [], bucketWorkers: this.#bucketWorkers };
  }

  subscribe(listener: DirectoryListener): () => void {
    this.#listeners.add(listener);
    if (this.#objects !== null) {
      const snapshot = { objects: [...this.#objects.values()], bucketWorkers: this.#bucketWorkers };
      listener({ type: 'replaced', snapshot });
    }
    return () => this.#listeners.delete(listener);
  }

  subscribeConditions(listener: ConditionsListener): () => void {
    this.#conditionsListeners.add(listener);
    return () => this.#conditionsListeners.delete(listener);
  }

  /** Removes all listeners. */
  close(): void {
    this.#listeners.clear();
    this.#conditionsListeners.clear();
  }

  #notify(change: DirectoryChange): void {
    for (const listener of [...this.#listeners]) listener(change);
  }
}

/** `1:2` before `1:10`. */
const natural = new Intl.Collator('en', { numeric: true });

function bucketsByWorker(bucketWorkers: DirectorySnapshot['bucketWorkers']): Map<number, string[]> {
  const buckets = new Map<number, string[]>();
  for (const [bucketId, workers] of Object.entries(bucketWorkers)) {
    for (const worker of new Set(workers)) {
      const held = buckets.get(worker);
      if (held) held.push(bucketId);
      else buckets.set(worker, [bucketId]);
    }
  }
  for (const held of buckets.values()) held.sort(natural.compare);
  return buckets;
}
