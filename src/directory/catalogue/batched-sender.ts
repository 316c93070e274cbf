// Sends objects to the main thread in batches, one at a time, each after the last was acknowledged, so as not to block that thread.
import type { DataObject } from '../../../machines/answer.ts';
import type { DirectorySnapshot } from '../../ipc/messages.ts';
import type { ObjectsNotice } from './catalogue-messages.ts';

/** The main thread processes a batch in a millisecond or two. */
const objectsAtOnce = 500;
/** Updates are collected for this long: hashing small files produces thousands a second. */
const gatherMs = 200;

export class BatchedSender {
  readonly #post: (notice: ObjectsNotice) => void;
  /** The object at the time it is sent, not at the time of the change. */
  readonly #objectOf: (objectId: string) => DataObject | undefined;
  #replacement: Generator<ObjectsNotice> | null = null;
  readonly #changed = new Set<string>();
  #due: string[] = [];
  #awaitsNext = false;
  #gathering: NodeJS.Timeout | null = null;

  constructor(post: (notice: ObjectsNotice) => void, objectOf: (objectId: string) => DataObject | undefined) {
    this.#post = post;
    this.#objectOf = objectOf;
  }

  /** Replaces everything not yet sent. */
  replace(objectIds: readonly string[], bucketWorkers: DirectorySnapshot['bucketWorkers']): void {
    this.clear();
    this.#replacement = this.#pieces(objectIds, bucketWorkers);
    this.#send();
  }

  update(objectId: string): void {
    this.#changed.add(objectId);
    this.#gathering ??= setTimeout(() => {
      this.#gathering = null;
      this.#due.push(...this.#changed);
      this.#changed.clear();
      this.#send();
    }, gatherMs);
  }

  next(): void {
    this.#awaitsNext = false;
    this.#send();
  }

  /** Drops everything not yet sent. */
  clear(): void {
    this.#replacement = null;
    this.#changed.clear();
    this.#due = [];
    if (this.#gathering) clearTimeout(this.#gathering);
    this.#gathering = null;
  }

  #send(): void {
    if (this.#awaitsNext) return;
    const notice = this.#replacement?.next().value ?? this.#updates();
    if (!notice) return;
    if (notice.type === 'whole') this.#replacement = null;
    this.#awaitsNext = true;
    this.#post(notice);
  }

  #updates(): ObjectsNotice | null {
    if (this.#due.length === 0) return null;
    return { type: 'updated', objects: this.#objectsOf(this.#due.splice(0, objectsAtOnce)) };
  }

  *#pieces(ids: readonly string[], bucketWorkers: DirectorySnapshot['bucketWorkers']): Generator<ObjectsNotice> {
    for (let at = 0; at === 0 || at < ids.length; at += objectsAtOnce) {
      yield { type: 'part', first: at === 0, objects: this.#objectsOf(ids.slice(at, at + objectsAtOnce)) };
    }
    yield { type: 'whole', bucketWorkers };
  }

  #objectsOf(ids: readonly string[]): DataObject[] {
    return ids.flatMap((id) => this.#objectOf(id) ?? []);
  }
}
