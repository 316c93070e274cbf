// A double of the content process for server processes: a test decides what arrives, and when.
import { mkdir, open, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type DataObject, factsOf } from '../../machines/answer.ts';
import type { Arrival, Bringing, Brought, Following } from '../../src/ipc/arrival.ts';
import { copyPath, partPath } from '../../src/store/copy-path.ts';
import type { CopyRow, IndexWriter } from '../../src/store/object-index.ts';

type Listener = (arrival: Arrival) => void;

export class BringingTwin implements Bringing {
  readonly asked: { readonly id: string; readonly from: number }[] = [];
  readonly uses: Readonly<Record<string, number>>[] = [];
  downloadsInProgress = 0;
  /** The first answer about an object, by its id; default: `unavailable`. */
  readonly answers = new Map<string, (from: number) => Brought | Promise<Brought>>();
  readonly #followers = new Map<string, Set<Listener>>();

  bring(id: string, { from, onArrival }: Parameters<Bringing['bring']>[1]): Following {
    this.asked.push({ id, from });
    // Each follower is a new function, even if a test passes the same one twice.
    const listener: Listener = (arrival) => onArrival(arrival);
    const followers = this.#followers.get(id) ?? new Set();
    this.#followers.set(id, followers.add(listener));
    const brought = Promise.resolve(this.answers.get(id)?.(from) ?? ({ result: 'unavailable' } as const));
    return { brought, stop: () => void followers.delete(listener) };
  }

  reportUses(uses: Readonly<Record<string, number>>): void {
    this.uses.push(uses);
  }

  /** Number of followers of this object. */
  followers(id: string): number {
    return this.#followers.get(id)?.size ?? 0;
  }

  notify(id: string, arrival: Arrival): void {
    const followers = this.#followers.get(id) ?? new Set();
    for (const listener of [...followers]) listener(arrival);
    if (arrival.state !== 'arriving') followers.clear();
  }
}

/** A copy whose file grows under the control of a test. */
export class ArrivingCopy {
  readonly id: string;
  readonly bytes: Buffer;
  readonly type: string;
  readonly #twin: BringingTwin;
  readonly #assets: string;
  #received = 0;
  #state: Arrival['state'] = 'arriving';

  private constructor(twin: BringingTwin, assets: string, id: string, bytes: Buffer, type: string) {
    [this.#twin, this.#assets, this.id, this.bytes, this.type] = [twin, assets, id, bytes, type];
    twin.answers.set(id, () => ({ result: 'arriving', arrival: this.arrival }));
  }

  /** Begins a copy of which no bytes have arrived. */
  static async begin(
    twin: BringingTwin,
    { assets, id, bytes, type = 'video/mp4' }: { assets: string; id: string; bytes: Buffer; type?: string },
  ): Promise<ArrivingCopy> {
    const path = partPath(assets, id);
    await mkdir(dirname(path), { recursive: true });
    await (await open(path, 'w')).close();
    return new ArrivingCopy(twin, assets, id, bytes, type);
  }

  get arrival(): Arrival {
    const path = partPath(this.#assets, this.id);
    return { path, size: this.bytes.length, received: this.#received, type: this.type, state: this.#state };
  }

  /** As the directory describes it. */
  get object(): DataObject {
    const { id, bytes } = this;
    const object = { id, path: null, size: bytes.length, type: null, hash: `W1hash${id}`, verified: null };
    return { ...object, accepted: true, buckets: ['0:0'] };
  }

  /** Extends the file up to this offset. @param bytes other content for the file */
  async grow(received: number, bytes = this.bytes): Promise<void> {
    const file = await open(partPath(this.#assets, this.id), 'r+');
    await file.write(bytes, this.#received, received - this.#received, this.#received);
    await file.close();
    this.#received = received;
    this.#twin.notify(this.id, this.arrival);
  }

  /** Completes the copy: renames its file, then adds it to the index. @param isAnnounced false: the content process dies first */
  async finish(index: IndexWriter, isAnnounced = true): Promise<void> {
    await this.grow(this.bytes.length);
    const path = copyPath(this.#assets, this.id);
    await rename(partPath(this.#assets, this.id), path);
    const row: CopyRow = {
      ...factsOf(await stat(path)),
      ...{ type: this.type, hash: `W1hash${this.id}`, originTag: null, uses: 1, lastUseSec: 0, priority: 0 },
    };
    index.transact((tx) => tx.putCopy(this.id, row));
    this.#state = isAnnounced ? 'here' : 'failed';
    this.#twin.answers.set(this.id, () => ({ result: 'here' }));
    this.#twin.notify(this.id, this.arrival);
  }

  /** Ends the copy as failed, and removes the file. */
  async fail(): Promise<void> {
    this.#state = 'failed';
    this.#twin.answers.set(this.id, () => ({ result: 'unavailable' }));
    await rm(partPath(this.#assets, this.id));
    this.#twin.notify(this.id, this.arrival);
  }

  /** Truncates the file, below the announced bytes. */
  async shrink(size: number): Promise<void> {
    await truncate(partPath(this.#assets, this.id), size);
  }
}
