// Compares two coverages bag by bag: which objects a change of settings would drop or gain.
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

/** The accepted objects of a bag. */
export interface BagSum {
  readonly distributionBuckets: readonly string[];
  readonly objects: number;
  /** Sum of the known sizes. */
  readonly bytes: number;
  /** Number of objects of unknown size. */
  readonly sizeUnknown: number;
}

export interface CoverageQuestion {
  /** In the order of the directory. */
  readonly bags: Iterable<readonly [id: string, bag: BagSum]>;
  /** Ids of the accepted objects of a bag, read lazily: no more than are listed. */
  readonly objectsOf: (bag: string) => Iterable<string>;
  /** The workers that actively distribute a bucket. */
  readonly workersOf: (bucketId: string) => readonly number[];
  readonly before: Settings;
  readonly after: Settings;
  /** Maximum number of ids per lot. */
  readonly maxIds: number;
}

export function coverageChange({
  bags,
  objectsOf,
  workersOf,
  before,
  after,
  maxIds,
}: CoverageQuestion): CoverageChange {
  const coveredBefore = coverage(before, workersOf);
  const coveredAfter = coverage(after, workersOf);
  const dropped = new Lot(maxIds);
  const gained = new Lot(maxIds);
  for (const [id, bag] of bags) {
    const was = coveredBefore(bag.distributionBuckets);
    const willBe = coveredAfter(bag.distributionBuckets);
    if (was !== willBe) (was ? dropped : gained).add(bag, () => objectsOf(id));
  }
  return { dropped: dropped.counted(), gained: gained.counted() };
}

class Lot {
  #count = 0;
  #bytes = 0;
  #sizeUnknown = 0;
  readonly #ids: string[] = [];
  readonly #maxIds: number;

  constructor(maxIds: number) {
    this.#maxIds = maxIds;
  }

  add({ objects, bytes, sizeUnknown }: BagSum, idsOf: () => Iterable<string>): void {
    this.#count += objects;
    this.#bytes += bytes;
    this.#sizeUnknown += sizeUnknown;
    if (objects === 0 || this.#ids.length >= this.#maxIds) return;
    for (const id of idsOf()) {
      this.#ids.push(id);
      if (this.#ids.length >= this.#maxIds) return;
    }
  }

  counted(): ObjectLot {
    return { count: this.#count, bytes: this.#bytes, sizeUnknown: this.#sizeUnknown, ids: this.#ids };
  }
}
