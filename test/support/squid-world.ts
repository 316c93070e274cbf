// A small network as plain data: what a squid, the double or the real one, is filled with, and what an index must contain.
import { coverage, type Settings } from '../../machines/settings.ts';
import type { ObjectIndex, ObjectRow } from '../../src/store/object-index.ts';

export interface WorldObject {
  readonly accepted: boolean;
  /** A BigInt. */
  readonly size: string;
  readonly hash: string;
  /** MIME type of a subtitle; undefined: no subtitle; null: one that does not exist. */
  readonly subtitle?: string | null;
}

export interface WorldBag {
  readonly distributionBuckets: readonly string[];
  readonly storageBuckets: readonly string[];
  readonly objects: Readonly<Record<string, WorldObject>>;
}

export interface WorldBucket {
  readonly distributing: boolean;
  readonly active: readonly number[];
  readonly invited: readonly number[];
}

export interface WorldStorageBucket {
  readonly status: 'Active' | 'Invited' | 'Missing';
  /** Null: the metadata states none; undefined: there is no metadata. */
  readonly endpoint?: string | null;
}

export interface World {
  /** Null: the squid does not know it. */
  readonly height: number | null;
  readonly buckets: Readonly<Record<string, WorldBucket>>;
  readonly bags: Readonly<Record<string, WorldBag>>;
  /** Storage buckets that bags name and that are not here have no operator. */
  readonly storageBuckets?: Readonly<Record<string, WorldStorageBucket>>;
}

export const worldObject = (id: number | string, more: Partial<WorldObject> = {}): WorldObject => ({
  ...{ accepted: true, size: `${1000 + Number(id)}`, hash: `gWabc${String(id).replaceAll('0', 'z')}` },
  ...more,
});

export const worldBucket = (active: readonly number[], more: Partial<WorldBucket> = {}): WorldBucket => ({
  ...{ distributing: true, active, invited: [] },
  ...more,
});

/** @param bags so many bags of so many objects each, in the named buckets */
export function worldOf(
  { bags, objects, buckets = ['1:0'] }: { bags: number; objects: number; buckets?: readonly string[] },
  height = 100,
): World {
  const bag = (number: number): [string, WorldBag] => {
    const ids = Array.from({ length: objects }, (_, index) => String(number * objects + index + 1));
    const content = Object.fromEntries(ids.map((id) => [id, worldObject(id)]));
    return [`dynamic:channel:${number + 1}`, { distributionBuckets: buckets, storageBuckets: ['0'], objects: content }];
  };
  return {
    height,
    buckets: Object.fromEntries(buckets.map((id, index) => [id, worldBucket([index])])),
    bags: Object.fromEntries(Array.from({ length: bags }, (_, number) => bag(number))),
  };
}

/** A later block. @param change null: the bag is gone */
export function withBags(
  world: World,
  change: Readonly<Record<string, WorldBag | null>>,
  height?: number | null,
): World {
  const bags = Object.entries({ ...world.bags, ...change }).filter((entry): entry is [string, WorldBag] => !!entry[1]);
  return { ...world, height: height === undefined ? (world.height ?? 0) + 1 : height, bags: Object.fromEntries(bags) };
}

/** What an index contains, or is to contain. */
export interface Contents {
  readonly buckets: Readonly<Record<string, { workers: readonly number[]; distributing: boolean }>>;
  readonly bags: Readonly<Record<string, { distribution: readonly string[]; storage: readonly string[] }>>;
  readonly objects: Readonly<Record<string, ObjectRow>>;
}

/** After a complete sync. */
export function contentsFor(world: World, settings: Settings): Contents {
  const covers = coverage(settings, (id) => world.buckets[id]?.active ?? []);
  const bags = Object.entries(world.bags).filter(([, bag]) => covers(bag.distributionBuckets));
  return {
    buckets: Object.fromEntries(
      Object.entries(world.buckets).map(([id, { active, distributing }]) => [
        id,
        { workers: [...active].sort((a, b) => a - b), distributing },
      ]),
    ),
    bags: Object.fromEntries(
      bags.map(([id, { distributionBuckets, storageBuckets }]) => [
        id,
        { distribution: [...distributionBuckets].sort(), storage: [...storageBuckets].sort() },
      ]),
    ),
    objects: Object.fromEntries(
      bags.flatMap(([bag, { objects }]) => Object.entries(objects).map(([id, object]) => [id, rowOf(bag, object)])),
    ),
  };
}

const rowOf = (bag: string, { accepted, size, hash, subtitle }: WorldObject): ObjectRow => ({
  ...{ bag, accepted, hash, file: null, url: null },
  size: Number.isSafeInteger(Number(size)) ? Number(size) : null,
  type: subtitle ?? null,
});

export function contentsOf(index: ObjectIndex): Contents {
  const bags = [...index.bags()];
  const ids = bags.flatMap(([id]) => [...index.objectsOfBag(id)]);
  return {
    buckets: Object.fromEntries(index.buckets()),
    bags: Object.fromEntries(
      bags.map(([id, bag]) => [id, { distribution: bag.distributionBuckets, storage: bag.storageBuckets }]),
    ),
    objects: Object.fromEntries(ids.map((id) => [id, index.object(id) as ObjectRow])),
  };
}
