// The space of the cache: how much the copies use, which are evicted to make room, and how often each is used.

import { copyPath } from '../store/copy-path.ts';
import { priorityOf, usedCopy } from '../store/eviction.ts';
import type { CopyRow, IndexWriter } from '../store/object-index.ts';
import { removeFile } from './part-file.ts';

export interface SpacePorts {
  readonly index: IndexWriter;
  /** Absolute, with every link resolved. */
  readonly assets: string;
  readonly maxBytes: number;
  /** Whether a download of the object is in progress. */
  readonly isArriving: (id: string) => boolean;
  /** A file could not be removed, or the index could not be written. */
  readonly onDiskError: (error: unknown) => void;
}

/** The facts about a copy that a download knows. */
export type NewCopy = Omit<CopyRow, 'uses' | 'lastUseSec' | 'priority'>;

/** Uses are written to the index in batches: at most this many objects, after this delay. */
const usesAtOnce = 1000;
const usesMs = 5000;

/** Maximum number of objects with unwritten uses; uses of further objects are lost. */
const maxUsed = 20_000;

export class CacheSpace {
  readonly #ports: SpacePorts;
  /** Bytes of the objects that are arriving. */
  readonly #reserved = new Map<string, number>();
  readonly #removals = new Map<string, Promise<void>>();
  #uses = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;
  #clock: number | null = null;
  #isClosed = false;
  /** Copies removed to make room, since the start. */
  evictions = 0;

  constructor(ports: SpacePorts) {
    this.#ports = ports;
  }

  /** Makes room for an object that is about to arrive. @returns false: there is not enough room */
  reserve(id: string, bytes: number): boolean {
    const { index, maxBytes } = this.#ports;
    if (bytes > maxBytes) return false;
    index.refresh();
    const others = this.#reservedBytes - (this.#reserved.get(id) ?? 0);
    // An earlier copy of the same object is replaced.
    const taken = index.summary.totals.copyBytes - (index.copy(id)?.size ?? 0) + others;
    if (taken + bytes > maxBytes && this.#evict(taken + bytes - maxBytes, id) === null) return false;
    this.#reserved.set(id, bytes);
    return true;
  }

  release(id: string): void {
    this.#reserved.delete(id);
  }

  /** Evicts copies of at least this many bytes. Resolves when their files are gone. @returns false: there are not enough copies */
  async makeRoom(bytes: number): Promise<boolean> {
    const removals = this.#evict(bytes, '');
    await Promise.all(removals ?? []);
    return removals !== null;
  }

  /** Adds a copy that is complete and at its path. @throws errors of the index */
  add(id: string, copy: NewCopy, uses: number): void {
    const counted = Math.max(1, uses);
    const priority = priorityOf(this.#clockNow, counted, copy.size);
    this.#ports.index.transact((tx) => {
      tx.putCopy(id, { ...copy, uses: counted, lastUseSec: nowSec(), priority });
    });
    this.release(id);
  }

  /** Counts hits of copies. @param uses id → number of hits */
  use(uses: Readonly<Record<string, number>>): void {
    for (const [id, times] of Object.entries(uses)) {
      if (!Number.isFinite(times) || times <= 0) continue;
      const before = this.#uses.get(id);
      if (before !== undefined || this.#uses.size < maxUsed) this.#uses.set(id, (before ?? 0) + times);
    }
    if (this.#uses.size > 0 && !this.#isClosed) this.#timer ??= setTimeout(() => this.#writeUses(), usesMs);
  }

  /** Removes copies from the index, then their files. @throws errors of the index; then nothing is removed */
  remove(ids: readonly string[]): Promise<void>[] {
    this.#ports.index.transact((tx) => {
      for (const id of ids) tx.removeCopy(id);
    });
    return ids.map((id) => this.#removeFile(id));
  }

  /** Resolves when no file of this object is being removed. */
  async removal(id: string): Promise<void> {
    await this.#removals.get(id);
  }

  /** Writes the remaining uses. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#uses.size > 0) this.#writeUses();
    await Promise.all(this.#removals.values());
  }

  get #reservedBytes(): number {
    return [...this.#reserved.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  get #clockNow(): number {
    if (this.#clock === null) {
      const [first] = this.#ports.index.copiesByPriority();
      this.#clock = first?.[1].priority ?? 0;
    }
    return this.#clock;
  }

  /** @returns null: the copies that may be evicted are not enough, so none was evicted */
  #evict(bytes: number, keep: string): Promise<void>[] | null {
    const { index, isArriving, onDiskError } = this.#ports;
    index.refresh();
    const victims: string[] = [];
    let found = 0;
    let clock = this.#clockNow;
    for (const [id, { size, priority }] of index.copiesByPriority()) {
      if (found >= bytes) break;
      if (id === keep || isArriving(id)) continue;
      victims.push(id);
      found += size;
      clock = Math.max(clock, priority);
    }
    if (found < bytes) return null;
    try {
      const removals = this.remove(victims);
      this.#clock = clock;
      this.evictions += victims.length;
      return removals;
    } catch (error) {
      onDiskError(error);
      return null;
    }
  }

  #removeFile(id: string): Promise<void> {
    const path = copyPath(this.#ports.assets, id);
    const removal = removeFile(path)
      .catch((error: unknown) => this.#ports.onDiskError(error))
      .then(() => {
        if (this.#removals.get(id) === removal) this.#removals.delete(id);
      });
    this.#removals.set(id, removal);
    return removal;
  }

  #writeUses(): void {
    this.#timer = null;
    const batch = [...this.#uses].slice(0, usesAtOnce);
    for (const [id] of batch) this.#uses.delete(id);
    const clock = this.#clockNow;
    try {
      this.#ports.index.transact((tx) => {
        for (const [id, times] of batch) {
          const copy = tx.copy(id);
          if (copy !== undefined) tx.putCopy(id, usedCopy(copy, times, clock, nowSec()));
        }
      });
    } catch (error) {
      // These uses are lost, and the priorities stay as they were.
      this.#ports.onDiskError(error);
    }
    if (!this.#isClosed) this.use({});
  }
}

const nowSec = (): number => Math.floor(Date.now() / 1000);
