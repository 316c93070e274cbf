// Compares two coverages object by object: which objects a change of settings would drop or gain.
import { type AnswerWord, answer, type DataObject } from './answer.ts';
import { coverage, type Settings } from './settings.ts';

/** A summary of dropped or gained objects. */
export interface ObjectLot {
  readonly count: number;
  /** Sum of the known sizes. */
  readonly bytes: number;
  /** Number of objects of unknown size. */
  readonly sizeUnknown: number;
  /** The first ids, in the order of the directory. */
  readonly ids: readonly string[];
}

export interface CoverageChange {
  /** Served before, answered with 421 afterwards. */
  readonly dropped: ObjectLot;
  readonly gained: ObjectLot;
}

export interface CoverageQuestion {
  /** The workers that actively distribute a bucket. */
  readonly workersOf: (bucketId: string) => readonly number[];
  readonly before: Settings;
  readonly after: Settings;
  /** Maximum number of ids per lot. */
  readonly maxIds: number;
}

/** Takes the objects one by one, so that the caller can yield in between. */
export class CoverageComparison {
  readonly #coveredBefore: (objectBuckets: readonly string[]) => boolean;
  readonly #coveredAfter: (objectBuckets: readonly string[]) => boolean;
  readonly #dropped: Lot;
  readonly #gained: Lot;

  constructor({ workersOf, before, after, maxIds }: CoverageQuestion) {
    this.#coveredBefore = coverage(before, workersOf);
    this.#coveredAfter = coverage(after, workersOf);
    this.#dropped = new Lot(maxIds);
    this.#gained = new Lot(maxIds);
  }

  add(object: DataObject): void {
    const was = isServed(answer(object, this.#coveredBefore));
    const willBe = isServed(answer(object, this.#coveredAfter));
    if (was && !willBe) this.#dropped.add(object);
    if (willBe && !was) this.#gained.add(object);
  }

  get result(): CoverageChange {
    return { dropped: this.#dropped.counted(), gained: this.#gained.counted() };
  }
}

const isServed = (word: AnswerWord): boolean => word !== 'elsewhere' && word !== 'unaccepted';

class Lot {
  #count = 0;
  #bytes = 0;
  #sizeUnknown = 0;
  readonly #ids: string[] = [];
  readonly #maxIds: number;

  constructor(maxIds: number) {
    this.#maxIds = maxIds;
  }

  add({ id, size }: DataObject): void {
    this.#count += 1;
    if (size === null) this.#sizeUnknown += 1;
    else this.#bytes += size;
    if (this.#ids.length < this.#maxIds) this.#ids.push(id);
  }

  counted(): ObjectLot {
    return { count: this.#count, bytes: this.#bytes, sizeUnknown: this.#sizeUnknown, ids: this.#ids };
  }
}
