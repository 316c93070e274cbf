// Which objects a change of settings would drop or gain: two coverages compared, object by object.
import { type AnswerWord, answer, type DataObject } from './answer.ts';
import { coverage, type Settings } from './settings.ts';

/** Objects that change hands together. */
export interface ObjectLot {
  readonly count: number;
  /** Of those whose size is known. */
  readonly bytes: number;
  /** How many have no known size yet. */
  readonly sizeUnknown: number;
  /** The first of them, in the directory's order. */
  readonly ids: readonly string[];
}

export interface CoverageChange {
  /** Served before, answered with 421 afterwards. */
  readonly dropped: ObjectLot;
  readonly gained: ObjectLot;
}

export interface CoverageQuestion {
  readonly objects: Iterable<DataObject>;
  /** The workers that actively distribute a bucket. */
  readonly workersOf: (bucketId: string) => readonly number[];
  readonly before: Settings;
  readonly after: Settings;
  /** How many ids each lot may name. */
  readonly maxIds: number;
}

/** So many objects take well under a millisecond, a few when this runs for the first time. */
const pauseEvery = 1000;

/** Yields now and then, so that whoever runs it can let others have their turn; returns what has come out. */
export function* compareCoverage(question: CoverageQuestion): Generator<void, CoverageChange> {
  const { objects, workersOf, before, after, maxIds } = question;
  const coveredBefore = coverage(before, workersOf);
  const coveredAfter = coverage(after, workersOf);
  const dropped = new Lot(maxIds);
  const gained = new Lot(maxIds);
  let untilPause = pauseEvery;
  for (const object of objects) {
    const was = isServed(answer(object, coveredBefore));
    const willBe = isServed(answer(object, coveredAfter));
    if (was && !willBe) dropped.add(object);
    if (willBe && !was) gained.add(object);
    untilPause -= 1;
    if (untilPause === 0) {
      untilPause = pauseEvery;
      yield;
    }
  }
  return { dropped: dropped.counted(), gained: gained.counted() };
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
