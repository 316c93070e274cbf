// The directory as workers are to know it, and how it is handed to each of them in parts, in order.
import type { DataObject } from '../../machines/answer.ts';
import type { DirectoryChange, DirectorySnapshot } from '../ipc/messages.ts';
import type { WorkerProcess } from './server-process.ts';

/** Objects in one message: writing it takes a few milliseconds at most, so that operators are not kept waiting. */
const partSize = 500;

export class DirectoryFeed {
  readonly #objects = new Map<string, DataObject>();
  #bucketWorkers: DirectorySnapshot['bucketWorkers'] = {};
  /** What each worker is still being told; changes follow in order. */
  readonly #lanes = new WeakMap<WorkerProcess, Promise<void>>();

  /** Remember a change for workers that start later. */
  note(change: DirectoryChange): void {
    if (change.type === 'replaced') {
      this.#objects.clear();
      this.#bucketWorkers = change.snapshot.bucketWorkers;
    }
    const objects = change.type === 'replaced' ? change.snapshot.objects : change.objects;
    for (const object of objects) this.#objects.set(object.id, object);
  }

  /** Tell a worker everything. Resolves when it knows, or has gone. */
  tellAll(worker: WorkerProcess): Promise<void> {
    const snapshot = { objects: [...this.#objects.values()], bucketWorkers: this.#bucketWorkers };
    this.#lanes.set(worker, Promise.resolve());
    return this.tell(worker, { type: 'replaced', snapshot });
  }

  /**
   * Tell a worker of a change, after all it has been told before; one that has been told nothing yet will be told all.
   * Resolves when it knows, or has gone.
   */
  async tell(worker: WorkerProcess, change: DirectoryChange): Promise<void> {
    const before = this.#lanes.get(worker);
    if (before === undefined) return;
    const lane = before.then(async () => {
      for (const { part, more } of partsOf(change)) {
        const reply = await worker.order({ type: 'directory', change: part, more });
        if (reply.type === 'gone') return;
        if (reply.type === 'failed') worker.kill('Faulty', `could not take over the directory: ${reply.reason}`);
      }
    });
    this.#lanes.set(worker, lane);
    await lane;
  }
}

function* partsOf(change: DirectoryChange): Generator<{ part: DirectoryChange; more: boolean }> {
  const objects = change.type === 'replaced' ? change.snapshot.objects : change.objects;
  for (let at = 0; at === 0 || at < objects.length; at += partSize) {
    const slice = objects.slice(at, at + partSize);
    const more = at + partSize < objects.length;
    if (change.type === 'replaced' && at === 0) {
      const snapshot = { objects: slice, bucketWorkers: change.snapshot.bucketWorkers };
      yield { part: { type: 'replaced', snapshot }, more };
    } else {
      // Parts of an update need not count together, those of a whole directory do.
      yield { part: { type: 'updated', objects: slice }, more: change.type === 'replaced' && more };
    }
  }
}
