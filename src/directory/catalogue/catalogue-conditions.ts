// What is wrong with a catalogue and the files of its objects, in the words of conditions.
import { type Condition, condition, type ReasonOf } from '../../base/condition.ts';
import { faultOf, type ObjectFault, type ObjectRecord } from './object-record.ts';

/** Of many files with the same condition, this many are named. */
const maxNamed = 5;
/** And this many errors of a catalogue are. */
const maxErrors = 5;

interface FaultyFile {
  readonly kind: ObjectFault['kind'];
  /** `7 (clips/b.mp4): does not exist`. */
  readonly words: string;
}

export class CatalogueConditions {
  #catalogue: Condition | null = null;
  readonly #files = new Map<string, FaultyFile>();
  #told = '';

  /**
   * @param errors lines, at least one
   * @returns whether that is another condition than before
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

  /** Take note of an object's file, whatever was noted of it before. */
  note(record: ObjectRecord): void {
    const { id, file } = record.stated;
    const fault = faultOf(record);
    if (fault === null) this.#files.delete(id);
    else this.#files.set(id, { kind: fault.kind, words: `${id} (${file}): ${fault.message}` });
  }

  /** A new catalogue: nothing is known of its files. */
  clearFiles(): void {
    this.#files.clear();
  }

  /** The list, if it is another than at the last call; else null. */
  news(): readonly Condition[] | null {
    const conditions = [
      this.#catalogue ?? [],
      this.#sumUp('missing', (message) => condition('MissingFiles', 'NoFile', message)),
      this.#sumUp('damaged', (message) => condition('DamagedObjects', 'NotAsStated', message)),
    ].flat();
    const text = JSON.stringify(conditions);
    if (text === this.#told) return null;
    this.#told = text;
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
