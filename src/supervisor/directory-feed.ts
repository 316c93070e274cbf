// Sends the directory and its changes to each server process, in parts and in order.
import type { DataObject } from '../../machines/answer.ts';
import type { DirectoryChange, DirectorySnapshot } from '../ipc/messages.ts';
import type { ServerProcess } from './server-process.ts';

/** Objects per message: serializing it takes a few milliseconds at most, so the operator API stays responsive. */
const partSize = 500;

export class DirectoryFeed {
  readonly #objects = new Map<string, DataObject>();
  #bucketWorkers: DirectorySnapshot['bucketWorkers'] = {};
  /** For each server process, the transfer in progress; changes are queued behind it. */
  readonly #lanes = new WeakMap<ServerProcess, Promise<void>>();

  /** Records a change for server processes that start later. */
  note(change: DirectoryChange): void {
    if (change.type === 'replaced') {
      this.#objects.clear();
      this.#bucketWorkers = change.snapshot.bucketWorkers;
    }
    const objects = change.type === 'replaced' ? change.snapshot.objects : change.objects;
    for (const object of objects) this.#objects.set(object.id, object);
  }

  /** Sends the whole directory. Resolves when the process has confirmed it, or exited. */
  sendAll(server: ServerProcess): Promise<void> {
    const snapshot = { objects: [...this.#objects.values()], bucketWorkers: this.#bucketWorkers };
    this.#lanes.set(server, Promise.resolve());
    return this.send(server, { type: 'replaced', snapshot });
  }

  /**
   * Sends a change after everything sent before; a process that has not got the whole directory yet is skipped.
   * Resolves when the process has confirmed it, or exited.
   */
  async send(server: ServerProcess, change: DirectoryChange): Promise<void> {
    const before = this.#lanes.get(server);
    if (before === undefined) return;
    const lane = before.then(async () => {
      for (const { part, more } of partsOf(change)) {
        const reply = await server.order({ type: 'directory', change: part, more });
        if (reply.type === 'gone') return;
        if (reply.type === 'failed') server.kill('Faulty', `could not take over the directory: ${reply.reason}`);
      }
    });
    this.#lanes.set(server, lane);
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
      // The parts of a whole directory must take effect together; those of an update need not.
      yield { part: { type: 'updated', objects: slice }, more: change.type === 'replaced' && more };
    }
  }
}
