// The directory and settings of a server process, and which objects the settings cover.
import type { DataObject } from '../../machines/answer.ts';
import { coverage, type Settings } from '../../machines/settings.ts';
import type { DirectoryChange } from '../ipc/messages.ts';

type Covers = (objectBuckets: readonly string[]) => boolean;

export class ObjectIndex {
  #settings: Settings;
  #covers: Covers;
  #objects = new Map<string, DataObject>();
  #bucketWorkers = new Map<string, readonly number[]>();
  /** A large directory that is arriving in parts; null: none. */
  #arriving: { objects: Map<string, DataObject>; bucketWorkers: Map<string, readonly number[]> } | null = null;
  #files = { count: 0, bytes: 0 };

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#covers = this.#compile();
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Whether the settings cover an object in these buckets. */
  get covers(): Covers {
    return this.#covers;
  }

  /** Number of objects with a file here, and the sum of their known sizes. */
  get files(): { readonly count: number; readonly bytes: number } {
    return this.#files;
  }

  find(id: string): DataObject | undefined {
    return this.#objects.get(id);
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#covers = this.#compile();
  }

  /** @param more further parts follow: all take effect together with the last */
  apply(change: DirectoryChange, more = false): void {
    if (change.type === 'replaced') {
      const { objects, bucketWorkers } = change.snapshot;
      this.#arriving = {
        objects: new Map(objects.map((object) => [object.id, object])),
        bucketWorkers: new Map(Object.entries(bucketWorkers)),
      };
    } else if (this.#arriving !== null) {
      for (const object of change.objects) this.#arriving.objects.set(object.id, object);
    } else {
      for (const object of change.objects) this.#update(object);
    }
    if (!more) this.#adopt();
  }

  #adopt(): void {
    if (this.#arriving === null) return;
    this.#objects = this.#arriving.objects;
    this.#bucketWorkers = this.#arriving.bucketWorkers;
    this.#arriving = null;
    this.#files = { count: 0, bytes: 0 };
    for (const object of this.#objects.values()) this.#count(object, 1);
    this.#covers = this.#compile();
  }

  #update(object: DataObject): void {
    const before = this.#objects.get(object.id);
    if (before) this.#count(before, -1);
    this.#objects.set(object.id, object);
    this.#count(object, 1);
  }

  #count(object: DataObject, sign: 1 | -1): void {
    if (object.path === null) return;
    this.#files.count += sign;
    this.#files.bytes += sign * (object.size ?? 0);
  }

  #compile(): Covers {
    return coverage(this.#settings, (bucketId) => this.#bucketWorkers.get(bucketId) ?? []);
  }
}
