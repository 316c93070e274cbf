// The buckets and workers of the directory as the control process knows them, from the content process's last report.
import type { DirectoryNames } from '../ipc/content-messages.ts';

/** `1:2` before `1:10`. */
const natural = new Intl.Collator('en', { numeric: true });

export class KnownNames {
  #names: DirectoryNames | null = null;
  /** Computed on first use. */
  readonly #bucketsOf = new Map<number, readonly string[]>();

  set(names: DirectoryNames): void {
    this.#names = names;
    this.#bucketsOf.clear();
  }

  /** Null: not known. */
  has(bucketId: string): boolean | null {
    if (this.#names === null) return null;
    if (Object.hasOwn(this.#names.bucketWorkers, bucketId)) return true;
    return this.#names.isComplete ? false : null;
  }

  /** In natural order; null: not known. The same list until it changes. */
  bucketsOf(workerId: number): readonly string[] | null {
    if (this.#names === null) return null;
    const known = this.#bucketsOf.get(workerId);
    if (known) return known;
    const entries = Object.entries(this.#names.bucketWorkers).filter(([, workers]) => workers.includes(workerId));
    if (entries.length === 0 && !this.#names.isComplete) return null;
    const buckets = entries.map(([id]) => id).sort(natural.compare);
    // Settings name few workers; a client that tries many must not fill memory.
    if (this.#bucketsOf.size >= maxWorkers) this.#bucketsOf.clear();
    this.#bucketsOf.set(workerId, buckets);
    return buckets;
  }
}

const maxWorkers = 100;
