// What a server process knows of objects: by the index, else by a look-up, and which of them the settings cover.
import type { DataObject, Finding } from '../../machines/answer.ts';
import { coverage, type Settings } from '../../machines/settings.ts';
import type { LookUp } from '../ipc/look-up.ts';
import type { BagRow, CopyRow, IndexSource, IndexSummary, ObjectIndex, ObjectRow } from '../store/object-index.ts';

type Covers = (objectBuckets: readonly string[]) => boolean;

/** The object that a row of the index, its bag and its copy describe. */
export type DataObjectOf = (id: string, row: ObjectRow, bag: BagRow, copy: CopyRow | undefined) => DataObject;

/** An index accepts no longer name, so no directory has an object with more digits. */
const maxIdLength = 512;

const none: readonly number[] = [];

export class ObjectView {
  readonly #dataObject: DataObjectOf;
  readonly #source: IndexSource | null | undefined;
  #settings: Settings;
  #covers: Covers;
  #index: ObjectIndex | null = null;

  /** @param source an index of another directory is not read. Null: nor is any; undefined: any is */
  constructor(settings: Settings, dataObject: DataObjectOf, source?: IndexSource | null) {
    this.#dataObject = dataObject;
    this.#source = source;
    this.#settings = settings;
    this.#covers = this.#compile();
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Whether the settings cover an object in these buckets, by the index as of the last `find`. */
  get covers(): Covers {
    return this.#covers;
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#covers = this.#compile();
  }

  /** Reads this index from now on; null: none. Closes the one before: nothing read from it refers to it. */
  use(index: ObjectIndex | null): void {
    const before = this.#index;
    this.#index = index && this.#isOurs(index) ? index : null;
    for (const unread of new Set([before, index])) if (unread !== this.#index) unread?.close().catch(() => {});
  }

  /** The state of the index now; null: there is none. */
  get summary(): IndexSummary | null {
    this.#index?.refresh();
    return this.#index?.summary ?? null;
  }

  /** A note of the directory's driver in the index; undefined: none. */
  mark(name: string): unknown {
    return this.#index?.mark(name);
  }

  /** By all that was committed before this call. `undecided`: not in the index, but a look-up may find it. */
  find(id: string): Finding {
    const index = this.#index;
    if (id.length > maxIdLength) return 'unknown';
    if (index === null) return 'undecided';
    index.refresh();
    const row = index.object(id);
    const bag = row && index.bag(row.bag);
    if (row && bag) return this.#dataObject(id, row, bag, row.file === null ? index.copy(id) : undefined);
    const { source, readAt } = index.summary;
    // A catalogue that was read is in the index as a whole.
    return source.kind === 'catalogue' && readAt !== null ? 'unknown' : 'undecided';
  }

  /** What a look-up has found, and whether the settings cover it, by the workers of its buckets that came with it. */
  judge(lookUp: LookUp): { readonly finding: Finding; readonly covers: Covers } {
    if (lookUp.result !== 'found') return { finding: lookUp.result, covers: this.#covers };
    const workers = new Map(Object.entries(lookUp.bucketWorkers));
    return { finding: lookUp.object, covers: coverage(this.#settings, (bucketId) => workers.get(bucketId) ?? none) };
  }

  #isOurs({ summary: { source } }: ObjectIndex): boolean {
    const ours = this.#source;
    return ours === undefined || (source.kind === ours?.kind && source.name === ours.name);
  }

  #compile(): Covers {
    return coverage(this.#settings, (bucketId) => this.#index?.bucket(bucketId)?.workers ?? none);
  }
}
