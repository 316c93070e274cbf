// The conditions of a catalogue and of the files of its objects.
import { type Condition, condition, type ReasonOf } from '../../base/condition.ts';
import { faultOf, type ObjectFault, type ObjectRecord } from './object-record.ts';

/** How many files a condition lists. */
const maxNamed = 5;
/** How many errors of a catalogue a condition lists. */
const maxErrors = 5;

interface FaultyFile {
  readonly kind: ObjectFault['kind'];
  /** `7 (clips/b.mp4): does not exist`. */
  readonly words: string;
}

export class CatalogueConditions {
  #catalogue: Condition | null = null;
  readonly #files = new Map<string, FaultyFile>();
  #reported = '';

  /**
   * @param errors lines, at least one
   * @returns whether the condition has changed
   */
  setCatalogue(reason: ReasonOf<'CatalogueInvalid'>, errors: readonly string[]): boolean {
    const before = this.#catalogue?.message;
    const more = errors.length > maxErrors ? [`… and ${errors.length - maxErrors} more lines`] : [];
    const message = [...errors.slice(0, maxErrors), ...more].join('\n');
    this.#catalogue = condition('CatalogueInvalid', reason, message);
    return message !== before;
  }

  /** The catalogue is in order. */
  clearCatalogue(): void {
    this.#catalogue = null;
  }

  /** Replaces the condition of an object's file. */
  note(record: ObjectRecord): void {
    const { id, file } = record.stated;
    const fault = faultOf(record);
    if (fault === null) this.#files.delete(id);
    else this.#files.set(id, { kind: fault.kind, words: `${id} (${file}): ${fault.message}` });
  }

  /** For a new catalogue: forgets the files of the old one. */
  clearFiles(): void {
    this.#files.clear();
  }

  /** The list if it has changed since the last call, else null. */
  news(): readonly Condition[] | null {
    const conditions = [
      this.#catalogue ?? [],
      this.#sumUp('missing', (message) => condition('MissingFiles', 'NoFile', message)),
      this.#sumUp('damaged', (message) => condition('DamagedObjects', 'NotAsStated', message)),
    ].flat();
    const text = JSON.stringify(conditions);
    if (text === this.#reported) return null;
    this.#reported = text;
    return conditions;
  }

  #sumUp(kind: FaultyFile['kind'], conditionWith: (message: string) => Condition): Condition[] {
    const words: string[] = [];
    let count = 0;
    for (const file of this.#files.values()) {
      if (file.kind !== kind) continue;
      count += 1;
      if (count <= maxNamed) words.push(file.words);
    }
    if (count === 0) return [];
    const many = count === 1 ? '1 object is' : `${count} objects are`;
    const more = count > maxNamed ? `; and ${count - maxNamed} more` : '';
    return [conditionWith(`${many} not served: ${words.join('; ')}${more}`)];
  }
}
