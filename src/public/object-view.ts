// Finds objects for a server process, in the index or by a look-up, and whether the settings cover them.
import type { DataObject, Finding } from '../../machines/answer.ts';
import { coverage, type Settings } from '../../machines/settings.ts';
import type { LookUp } from '../ipc/look-up.ts';
import type { BagRow, CopyRow, IndexSource, IndexSummary, ObjectIndex, ObjectRow } from '../store/object-index.ts';

type Covers = (objectBuckets: readonly string[]) => boolean;

/** The object that a row of the index, its bag and its copy describe. */
export type DataObjectOf = (id: string, row: ObjectRow, bag: BagRow, copy: CopyRow | undefined) => DataObject;

/** The longest name that an index accepts, so no object has more digits. */
const maxIdLength = 512;

const none: readonly number[] = [];

export class ObjectView {
  readonly #dataObject: DataObjectOf;
  readonly #source: IndexSource | null | undefined;
  readonly #isDamage: (error: unknown) => boolean;
  #settings: Settings;
  #covers: Covers;
  #index: ObjectIndex | null = null;

  /**
   * @param source only an index of this directory is read; null: no index is read; undefined: any index is
   * @param isDamage whether this error of a read comes from a damaged index, which is then not used any longer
   */
  constructor(
    settings: Settings,
    dataObject: DataObjectOf,
    source?: IndexSource | null,
    isDamage: (error: unknown) => boolean = () => false,
  ) {
    this.#dataObject = dataObject;
    this.#source = source;
    this.#isDamage = isDamage;
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

  /** Reads this index from now on; null: none. Closes the previous one, to which no result refers. */
  use(index: ObjectIndex | null): void {
    const before = this.#index;
    this.#index = index && this.#isOurs(index) ? index : null;
    for (const unread of new Set([before, index])) if (unread !== this.#index) unread?.close().catch(() => {});
  }

  /** The state of the index now; null: there is none. */
  get summary(): IndexSummary | null {
    return this.#read((index) => {
      index.refresh();
      return index.summary;
    }, null);
  }

  /** A mark that the directory's driver stored in the index; undefined: none. */
  mark(name: string): unknown {
    return this.#read((index) => index.mark(name), undefined);
  }

  /** Sees everything committed before this call. `undecided`: not in the index, but a look-up may find it. */
  find(id: string): Finding {
    if (id.length > maxIdLength) return 'unknown';
    return this.#read((index) => this.#findIn(index, id), 'undecided');
  }

  /** Reads until a read meets damage. @param otherwise the result without a usable index */
  #read<T>(read: (index: ObjectIndex) => T, otherwise: T): T {
    if (this.#index === null) return otherwise;
    try {
      return read(this.#index);
    } catch (error) {
      if (!this.#isDamage(error)) throw error;
      this.use(null);
      return otherwise;
    }
  }

  #findIn(index: ObjectIndex, id: string): Finding {
    index.refresh();
    const row = index.object(id);
    const bag = row && index.bag(row.bag);
    if (row && bag) return this.#dataObject(id, row, bag, row.file === null ? index.copy(id) : undefined);
    const { source, readAt } = index.summary;
    // A catalogue is imported as a whole, so there is no such object.
    return source.kind === 'catalogue' && readAt !== null ? 'unknown' : 'undecided';
  }

  /** Applies the settings to the answer of a look-up, which contains the workers of its buckets. */
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
    return coverage(this.#settings, (bucketId) => this.#read((index) => index.bucket(bucketId)?.workers, none) ?? none);
  }
}
