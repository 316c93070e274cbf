// A squid whose bags, objects, buckets and operators change with every block, and the queries that the node needs to follow.
import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../../machines/settings.ts';
import { keyOf, markOf } from '../../src/directory/squid/squid-marks.ts';
import type { ObjectIndex } from '../../src/store/object-index.ts';
import type { HomeOptions } from '../support/harness.ts';
import { type SquidDouble, startSquidDouble } from '../support/squid-double/squid-double.ts';
import {
  contentsFor,
  contentsOf,
  type World,
  type WorldBag,
  worldBucket,
  worldObject,
} from '../support/squid-world.ts';
import { until } from '../support/until.ts';
import type { Dice } from './dice.ts';
import {
  bucketIds,
  type Change,
  type ChangingDirectory,
  type Moment,
  type Seen,
  SettingsRange,
  someBuckets,
} from './directory-answers.ts';

const pageBags = 3;
const objectsPerBag = 4;
const longestKillMs = 600;
/** A sync begins a second after a change. */
const longestWaitMs = 1500;

/** A sync that was killed may ask for the page that was under way once more, and for the end of the list. */
const pagesPerKill = 2;

export class ChangingSquid implements ChangingDirectory {
  readonly name = 'squid';
  readonly settings = new SettingsRange({ workerId: 0, buckets: null });
  readonly ids: readonly string[];
  readonly #dice: Dice;
  readonly #worlds: World[] = [];
  readonly #places = new WeakMap<World, ReadonlyMap<string, string>>();
  readonly #events = new EventEmitter();
  #double: SquidDouble | null = null;
  /** The oldest world that may be seen: the one that the index last equalled. */
  #low = 0;
  #indexed: ReadonlySet<string> = new Set();
  /** Pages that the node needs in this round; null: the settings change, and with them what it needs. */
  #pagesNeeded: number | null = null;
  readonly #asked = { Bags: 0, Buckets: 0 };

  constructor({ bags }: { bags: number }, dice: Dice) {
    this.#dice = dice;
    const content = (bag: number) =>
      Array.from({ length: objectsPerBag }, (_, at) => String(bag * objectsPerBag + at + 1));
    const made = Array.from({ length: bags }, (_, bag): [string, WorldBag] => {
      const objects = Object.fromEntries(content(bag).map((id) => [id, worldObject(id)]));
      return [`dynamic:channel:${bag + 1}`, { distributionBuckets: someBuckets(dice), storageBuckets: ['0'], objects }];
    });
    const buckets = Object.fromEntries(bucketIds.map((id, at) => [id, worldBucket([at % 2])]));
    this.#worlds.push({ height: 100, buckets, bags: Object.fromEntries(made) });
    this.ids = Array.from({ length: bags * objectsPerBag + 10 }, (_, at) => String(at + 1));
  }

  async home(): Promise<HomeOptions> {
    this.#double = await startSquidDouble(this.#latest);
    this.#double.onAsked = ({ name }) => {
      if (name === 'Bags' || name === 'Buckets') this.#asked[name] += 1;
      this.#events.emit('query');
    };
    const endpoints = { storageSquid: this.#double.url };
    const squid = { pageBags, pauseMs: 5, syncEverySec: 1, lookUpPauseMs: 1 };
    // A cached answer is allowed to be out of date.
    return { more: { catalogue: undefined, endpoints, squid, limits: { queryNodeCacheTTL: 0 } } };
  }

  async prepare(): Promise<void> {}

  async change(what: Change): Promise<void> {
    this.#asked.Bags = this.#asked.Buckets = 0;
    this.#pagesNeeded = what === 'some' ? null : 0;
    if (what === 'nothing') return;
    const { buckets, bags: before } = this.#latest;
    const height = (this.#latest.height ?? 0) + 1;
    const bags = what === 'all' ? this.#everyBagChanged(before, height) : this.#someBagsChanged(before);
    if (what === 'all') this.#pagesNeeded = this.#pagesOf(bags);
    const next = { height, buckets: what === 'some' ? this.#operatorsChanged(buckets) : buckets, bags };
    this.#worlds.push(next);
    if (this.#double) this.#double.world = next;
  }

  async someInstant(): Promise<void> {
    const dice = this.#dice;
    const late = sleep(dice.below(longestKillMs) + (dice.chance(0.5) ? 0 : longestWaitMs));
    const query = async () => {
      for (let left = 1 + dice.below(25); left > 0; left -= 1) await once(this.#events, 'query');
    };
    await Promise.race([late, query()]);
  }

  moment(id: string): Moment {
    return { version: this.#low, settings: this.settings.low, revision: 0, isIndexed: this.#indexed.has(id) };
  }

  judge(id: string, from: Moment, { words }: Seen, isOutage: boolean): string | null {
    const possible = new Set<string>();
    let isCovered = from.isIndexed;
    for (const settings of this.settings.from(from.settings)) {
      const found = this.#possible(id, this.#worlds.slice(from.version), settings);
      for (const one of found.words) possible.add(one);
      isCovered &&= found.isCovered;
    }
    // It may have to be looked up, which the squid or the content process may miss.
    if (isOutage && !isCovered) possible.add('undecided');
    return possible.has(words) ? null : `one of ${[...possible].join(', ')}`;
  }

  mismatch(index: ObjectIndex): string | null {
    index.refresh();
    const last = markOf(index, 'last');
    const { height } = this.#latest;
    if (last?.height !== height || !last.isExact) return `height ${last?.height}, not ${height}`;
    if (last.key !== keyOf(this.#needed)) return 'other settings';
    if (markOf(index, 'pass') !== null) return 'a sync has begun';
    const wanted = contentsFor(this.#latest, this.settings.current);
    const actual = contentsOf(index);
    for (const table of ['buckets', 'bags', 'objects'] as const) {
      const ids = new Set([...Object.keys(wanted[table]), ...Object.keys(actual[table])]);
      for (const id of ids) {
        const [a, b] = [actual[table][id], wanted[table][id]];
        if (!isDeepStrictEqual(a, b)) return `${table} ${id}: ${JSON.stringify(a)}, not ${JSON.stringify(b)}`;
      }
    }
    return null;
  }

  async settled(index: ObjectIndex): Promise<void> {
    this.#low = this.#worlds.length - 1;
    this.#indexed = new Set(index.objectIds(''));
    // Nothing was to be read: after another sync or two, nothing has been.
    if (this.#pagesNeeded === 0) await until(() => this.#asked.Buckets >= 3);
  }

  needless(_: ObjectIndex, kills: number): string | null {
    if (this.#pagesNeeded === null) return null;
    const most = this.#pagesNeeded === 0 ? 0 : this.#pagesNeeded + pagesPerKill * kills;
    return this.#asked.Bags <= most ? null : `${this.#asked.Bags} pages asked for, not ${most}`;
  }

  async remove(): Promise<void> {
    await this.#double?.stop();
  }

  get #latest(): World {
    return this.#worlds.at(-1) as World;
  }

  get #needed(): string[] {
    const { buckets: chosen, workerId } = this.settings.current;
    const { buckets } = this.#latest;
    return [...(chosen ?? bucketIds.filter((id) => buckets[id]?.active.includes(workerId ?? -1)))].sort();
  }

  /** The last page is the first that is not full. */
  #pagesOf(bags: World['bags']): number {
    const needed = new Set(this.#needed);
    const found = Object.values(bags).filter((bag) => bag.distributionBuckets.some((id) => needed.has(id)));
    return needed.size === 0 ? 0 : Math.floor(found.length / pageBags) + 1;
  }

  /** No object goes: a bag without one is asked for once more. */
  #everyBagChanged(bags: World['bags'], height: number): World['bags'] {
    const changed = Object.entries(bags).map(([id, bag]) => {
      const [first] = Object.keys(bag.objects);
      const objects = first === undefined ? {} : { [first]: worldObject(first, { size: String(height) }) };
      return [id, { ...bag, objects: { ...bag.objects, ...objects }, storageBuckets: [String(height)] }];
    });
    return Object.fromEntries(changed);
  }

  #someBagsChanged(before: World['bags']): World['bags'] {
    const dice = this.#dice;
    const bags: Record<string, WorldBag> = { ...before };
    for (const id of Object.keys(before)) {
      const bag = bags[id] as WorldBag;
      if (!dice.chance(0.15)) continue;
      if (dice.chance(0.4)) bags[id] = { ...bag, distributionBuckets: someBuckets(dice) };
      else bags[id] = this.#objectsChanged(bag, bags);
    }
    return bags;
  }

  /** One is not accepted, goes, comes, or moves to another bag. */
  #objectsChanged(bag: WorldBag, bags: Record<string, WorldBag>): WorldBag {
    const dice = this.#dice;
    const objects = { ...bag.objects };
    const all = Object.values(bags).flatMap((one) => Object.keys(one.objects));
    const gone = this.ids.slice(0, -10).filter((id) => !all.includes(id));
    const id = Object.keys(objects)[0];
    if (id !== undefined && dice.chance(0.4)) objects[id] = worldObject(id, { accepted: dice.chance(0.5) });
    else if (gone[0] !== undefined && dice.chance(0.6)) objects[gone[0]] = worldObject(gone[0]);
    else if (id !== undefined) {
      delete objects[id];
      const place = dice.pick(Object.keys(bags));
      const other = bags[place] as WorldBag;
      if (other !== bag && dice.chance(0.6))
        bags[place] = { ...other, objects: { ...other.objects, [id]: worldObject(id) } };
    }
    return { ...bag, objects };
  }

  #operatorsChanged(buckets: World['buckets']): World['buckets'] {
    const dice = this.#dice;
    if (!dice.chance(0.4)) return buckets;
    const active = [0, 1].filter(() => dice.chance(0.6));
    return { ...buckets, [dice.pick(bucketIds)]: worldBucket(active, { distributing: dice.chance(0.8) }) };
  }

  /** The bag of every object. */
  #placesIn(world: World): ReadonlyMap<string, string> {
    const known = this.#places.get(world);
    if (known) return known;
    const places = Object.entries(world.bags).flatMap(([bag, { objects }]) =>
      Object.keys(objects).map((id) => [id, bag] as const),
    );
    const made = new Map(places);
    this.#places.set(world, made);
    return made;
  }

  /** @returns the words, and whether the object is covered in each of these worlds */
  #possible(id: string, worlds: readonly World[], settings: Settings) {
    const words = new Set<string>();
    let isCovered = true;
    for (const [at, world] of worlds.entries()) {
      const place = this.#placesIn(world).get(id);
      if (place === undefined) {
        words.add('unknown');
        isCovered = false;
        continue;
      }
      const later = worlds.slice(at);
      // An object that its bag no longer has is kept until the end of the sync, in the bag as it then is.
      const leaves = later.some((one) => this.#placesIn(one).get(id) !== place);
      const covers = (leaves ? later : [world]).flatMap((one) => {
        const bag = one.bags[place];
        return bag ? this.#covers(bag.distributionBuckets, worlds, settings) : [];
      });
      if (covers.includes(false)) isCovered = false;
      if (world.bags[place]?.objects[id]?.accepted === false) words.add('unaccepted');
      else {
        for (const one of covers) words.add(one ? 'unavailable' : 'elsewhere');
        // The content process, which fetches it, is being replaced.
        if (covers.includes(true)) words.add('undecided');
      }
    }
    return { words, isCovered };
  }

  /** Operators are added at the beginning of a sync, and removed at its end. */
  #covers(buckets: readonly string[], worlds: readonly World[], { buckets: chosen, workerId }: Settings): boolean[] {
    if (chosen !== null) return [buckets.some((id) => chosen.includes(id))];
    const holds = (world: World, id: string) => world.buckets[id]?.active.includes(workerId ?? -1) === true;
    const may = buckets.some((id) => worlds.some((world) => holds(world, id)));
    const must = buckets.some((id) => worlds.every((world) => holds(world, id)));
    return may === must ? [may] : [true, false];
  }
}
