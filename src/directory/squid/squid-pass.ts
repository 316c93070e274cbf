// One sync: reads the buckets, then the bags that the settings need, page by page, and finally removes what is gone.
import { setImmediate as turn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { coverage, type Settings } from '../../../machines/settings.ts';
import { type SquidMark, squidMark } from '../../ipc/content-messages.ts';
import type { BagRow, BucketRow, IndexTransaction, IndexWriter } from '../../store/object-index.ts';
import type { PageSize } from './page-size.ts';
import { portions } from './portions.ts';
import type { SquidBag, SquidBucket } from './squid-answers.ts';
import type { SquidClient } from './squid-client.ts';
import {
  keyOf,
  type LastMark,
  type LossMark,
  markName,
  markOf,
  neededBuckets,
  type PassMark,
  type StorageNodesMark,
} from './squid-marks.ts';
import { type BagDifference, changesIndex, difference, write } from './squid-page.ts';

export interface PassPorts {
  readonly client: SquidClient;
  readonly index: IndexWriter;
  readonly settings: Settings;
  /** Of the squid; null: not known. */
  readonly version: string | null;
  readonly pageSize: PageSize;
  /** Waits before the next query. @throws to end the pass */
  readonly pause: () => Promise<void>;
  /** Reports what has been read. */
  readonly progress: (pass: Pick<PassMark, 'bags' | 'objects' | 'height'>) => void;
  readonly now: () => string;
}

/**
 * `complete`: the index equals the directory. `unchanged`: the squid has processed no block since the last one.
 * `lower`: the squid's height is lower than that of the last complete sync: nothing was dropped.
 * `fewer`: too much would be dropped; the next sync must confirm it.
 */
export type PassResult =
  | { readonly result: 'complete' | 'unchanged' }
  | { readonly result: 'lower'; readonly height: number | null; readonly before: number }
  | { readonly result: 'fewer'; readonly lost: number; readonly known: number };

const nothingRead: PassMark = {
  ...{ number: 0, key: '', cursor: '', bags: 0, objects: 0, missing: 0, inLossyBags: 0, height: null },
};

/** Buckets of a page. */
const pageBuckets = 1000;
/** More are not noted: one mark holds them all. */
const maxStorageNodes = 2000;
/** How often the position is saved while pages are unchanged: a restart re-reads at most this many. */
const saveEveryPages = 20;

export class SquidPass {
  readonly #ports: PassPorts;
  readonly #last: LastMark | null;
  #buckets: ReadonlyMap<string, SquidBucket> = new Map();
  #needed: readonly string[] = [];
  #mark = nothingRead;
  /** The squid's, at the beginning. */
  #height: number | null = null;
  /** Bags that were read, were as in the index, and do not have this pass's number there. */
  readonly #seen = new Set<string>();
  #pagesUnsaved = 0;

  constructor(ports: PassPorts) {
    this.#ports = ports;
    this.#last = markOf(ports.index, 'last');
  }

  /** Continues the pass saved in the index if its key is the same. @throws {SquidFailure}; errors of the index and of `pause` */
  async run(): Promise<PassResult> {
    const { client, index } = this.#ports;
    const height = await client.height();
    await this.#readBuckets();
    const storageNodes = await this.#readStorageNodes();
    this.#begin(height);
    if (this.#lower(height) === null) this.#noteStorageNodes(storageNodes);
    if (this.#isUnchanged(height)) return { result: 'unchanged' };
    this.#report();
    this.#addBuckets();
    await this.#readBags();
    const after = await client.height();
    const lower = this.#lower(height) ?? this.#lower(after);
    if (lower) {
      this.#abandon();
      return lower;
    }
    const loss = this.#loss();
    const isConfirmed = markOf(index, 'loss')?.key === this.#mark.key;
    if (2 * loss.lost > loss.known && !isConfirmed) {
      this.#abandon({ key: this.#mark.key });
      return { result: 'fewer', ...loss };
    }
    const lowered = await this.#settle();
    if (lowered) {
      this.#abandon();
      return lowered;
    }
    this.#finish(height === after);
    return { result: 'complete' };
  }

  async #readBuckets(): Promise<void> {
    const buckets = new Map<string, SquidBucket>();
    for (let after = ''; ; ) {
      const page = await this.#ports.client.buckets(after, pageBuckets);
      for (const bucket of page) buckets.set(bucket.id, bucket);
      after = cursorAfter(page, after);
      if (page.length < pageBuckets) break;
      await this.#ports.pause();
    }
    this.#buckets = buckets;
    this.#needed = neededBuckets(this.#ports.settings, buckets);
  }

  async #readStorageNodes(): Promise<StorageNodesMark> {
    const endpoints: Record<string, string> = {};
    let count = 0;
    for (let after = ''; ; ) {
      const page = await this.#ports.client.storageNodes(after, pageBuckets);
      for (const { id, endpoint } of page) if (endpoint !== null) endpoints[id] = endpoint;
      count += page.length;
      after = cursorAfter(page, after);
      if (page.length < pageBuckets || count >= maxStorageNodes) return endpoints;
      await this.#ports.pause();
    }
  }

  #noteStorageNodes(endpoints: StorageNodesMark): void {
    const { index } = this.#ports;
    if (isDeepStrictEqual(markOf(index, 'storageNodes') ?? {}, endpoints)) return;
    index.transact((tx) => tx.putMark(markName('storageNodes'), endpoints));
  }

  /** A height lower than at the start means a different squid: the pass starts over. */
  #begin(height: number | null): void {
    this.#height = height;
    const key = keyOf(this.#needed);
    const begun = markOf(this.#ports.index, 'pass');
    const isSame = begun?.key === key && (begun.height === null || (height !== null && height >= begun.height));
    if (isSame) this.#mark = begun;
    else {
      const number = Math.max(this.#last?.number ?? 0, begun?.number ?? 0) + 1;
      this.#mark = { ...nothingRead, number, key, height: highest(height, this.#last?.height, begun?.height) };
    }
  }

  #isUnchanged(height: number | null): boolean {
    const last = this.#last;
    const isSameHeight = height !== null && last?.height === height && last.isExact;
    const isBetween = this.#mark.cursor === '' && markOf(this.#ports.index, 'loss') === null;
    return isSameHeight && isBetween && last.key === this.#mark.key && !this.#hasOtherBuckets();
  }

  /** Operators and flags are not part of the key. */
  #hasOtherBuckets(): boolean {
    const known = new Map(this.#ports.index.buckets());
    const isOther = ({ id, ...row }: SquidBucket) => !sameBucket(known.get(id), row);
    return known.size !== this.#buckets.size || [...this.#buckets.values()].some(isOther);
  }

  /** Workers are added now and removed at the end: a squid that is behind must not remove any. */
  #addBuckets(): void {
    const { index } = this.#ports;
    const rows = [...this.#buckets.values()].map(({ id, distributing, workers }) => {
      const all = [...new Set([...(index.bucket(id)?.workers ?? []), ...workers])].sort((a, b) => a - b);
      return [id, { workers: all, distributing }] as const;
    });
    const changed = rows.filter(([id, row]) => !sameBucket(index.bucket(id), row));
    if (changed.length > 0) index.transact((tx) => changed.forEach(([id, row]) => void tx.putBucket(id, row)));
  }

  async #readBags(): Promise<void> {
    while (this.#needed.length > 0) {
      await this.#ports.pause();
      const { client, pageSize } = this.#ports;
      const asked = pageSize.bags;
      const page = await pageSize.adapt(() => client.bags(this.#needed, this.#mark.cursor, asked));
      if (page === null) continue;
      await this.#take(page);
      if (page.length < asked) return;
    }
  }

  /** Drops nothing. Number and height are kept, so that the next pass gets a different number. */
  #abandon(loss?: LossMark): void {
    const { number, height } = this.#mark;
    this.#ports.index.transact((tx) => {
      tx.putMark(markName('pass'), { ...nothingRead, number, height } satisfies PassMark);
      if (loss) tx.putMark(markName('loss'), loss);
    });
  }

  async #take(page: readonly SquidBag[]): Promise<void> {
    const { index } = this.#ports;
    const found = page.map((bag) => difference(index, bag));
    const lossy = found.filter(({ missing }) => missing.length > 0);
    const mark = this.#mark;
    this.#mark = {
      ...mark,
      cursor: cursorAfter(page, mark.cursor),
      bags: mark.bags + page.length,
      objects: mark.objects + sum(page, ({ objects }) => objects.length),
      missing: mark.missing + sum(lossy, ({ missing }) => missing.length),
      inLossyBags: mark.inLossyBags + sum(lossy, ({ bag }) => objectsIn(index.bag(bag.id))),
    };
    const changed = found.filter(changesIndex);
    for (const one of found) if (!changesIndex(one) && one.missing.length === 0) this.#seen.add(one.bag.id);
    this.#pagesUnsaved += 1;
    if (changed.length > 0 || this.#pagesUnsaved >= saveEveryPages) await this.#save(changed);
    this.#report();
  }

  /** In steps; the last one notes the position. A bag with missing objects keeps its old number, so that the end of the pass asks for it again. */
  async #save(changed: readonly BagDifference[]): Promise<void> {
    const { index } = this.#ports;
    const { number } = this.#mark;
    const put = (tx: IndexTransaction, bags: readonly BagDifference[]) => {
      for (const one of bags) {
        const isWhole = one.missing.length === 0;
        write(tx, one, isWhole ? number : (tx.bag(one.bag.id)?.pass ?? 0));
      }
    };
    const steps = [...portions(changed, changed.length, (one) => one.put.length)];
    const last = steps.pop() ?? [];
    for (const step of steps) {
      index.transact((tx) => put(tx, step));
      await turn();
    }
    index.transact((tx) => {
      put(tx, last);
      for (const id of this.#seen) {
        const bag = tx.bag(id);
        if (bag && bag.pass !== number) tx.putBag(id, { ...bag, pass: number });
      }
      tx.putMark(markName('pass'), this.#mark);
    });
    this.#seen.clear();
    this.#pagesUnsaved = 0;
  }

  /** @param height now; a squid that does not say its height any more is behind too */
  #lower(height: number | null): (PassResult & { result: 'lower' }) | null {
    const { height: before } = this.#mark;
    return before === null || (height !== null && height >= before) ? null : { result: 'lower', height, before };
  }

  /** Of the objects that the settings cover: how many the index has, and how many of them the squid no longer has. */
  #loss(): { readonly lost: number; readonly known: number } {
    const { index } = this.#ports;
    const covers = this.#coverage();
    let known = 0;
    let unseen = 0;
    for (const [id, bag] of index.bags()) {
      if (!covers(bag)) continue;
      known += objectsIn(bag);
      if (!this.#hasSeen(id, bag)) unseen += objectsIn(bag);
    }
    const { missing, inLossyBags } = this.#mark;
    return { known, lost: unseen - inLossyBags + missing };
  }

  /** As in the index, from which workers have not been removed yet. */
  #coverage(): (bag: BagRow) => boolean {
    const { index, settings } = this.#ports;
    const covers = coverage(settings, (id) => index.bucket(id)?.workers ?? []);
    return (bag) => covers(bag.distributionBuckets);
  }

  #hasSeen = (id: string, bag: BagRow): boolean => bag.pass === this.#mark.number || this.#seen.has(id);

  /** Queries the bags that were not seen again, and removes what is gone. @returns why nothing may be removed, or null */
  async #settle(): Promise<PassResult | null> {
    const { client, index } = this.#ports;
    const covers = this.#coverage();
    const { bags: size } = this.#ports.pageSize;
    const unseen = [...index.bags()].filter(([id, bag]) => !this.#hasSeen(id, bag));
    const [covered, others] = [unseen.filter(([, bag]) => covers(bag)), unseen.filter(([, bag]) => !covers(bag))];
    // The settings do not cover these any more.
    for (const step of portions(others, size, objectsOf)) {
      const ids = step.map(firstOf);
      await turn();
      index.transact((tx) => ids.forEach((id) => void tx.removeBag(id)));
    }
    for (const step of portions(covered, size, objectsOf)) {
      const ids = step.map(firstOf);
      await this.#ports.pause();
      const bags = this.#needed.length === 0 ? [] : await client.namedBags(this.#needed, ids);
      const lower = this.#lower(await client.height());
      if (lower) return lower;
      const found = new Map(bags.map((bag) => [bag.id, difference(index, bag)]));
      index.transact((tx) => {
        for (const id of ids) {
          const present = found.get(id);
          if (present === undefined) tx.removeBag(id);
          else {
            for (const object of present.missing) tx.removeObject(object);
            write(tx, present, this.#mark.number);
          }
        }
      });
    }
    return null;
  }

  #finish(isExact: boolean): void {
    const { index, now, version } = this.#ports;
    const { number, key, height } = this.#mark;
    const at = now();
    index.transact((tx) => {
      for (const [id] of [...tx.buckets()]) if (!this.#buckets.has(id)) tx.removeBucket(id);
      for (const { id, ...row } of this.#buckets.values()) if (!sameBucket(tx.bucket(id), row)) tx.putBucket(id, row);
      tx.putMark(markName('pass'), undefined);
      tx.putMark(markName('loss'), undefined);
      tx.putMark(markName('last'), { number, key, needed: this.#needed, height, isExact, at } satisfies LastMark);
      tx.putMark(squidMark, { height, version } satisfies SquidMark);
      tx.setRead(at);
    });
  }

  #report(): void {
    this.#ports.progress({ ...this.#mark, height: this.#height });
  }
}

const firstOf = ([id]: readonly [string, BagRow]): string => id;

function highest(...heights: readonly (number | null | undefined)[]): number | null {
  const known = heights.filter((height) => typeof height === 'number');
  return known.length === 0 ? null : Math.max(...known);
}

const objectsIn = (bag: BagRow | undefined): number => (bag ? bag.objects + bag.unaccepted : 0);

const cursorAfter = (page: readonly { readonly id: string }[], before: string): string => page.at(-1)?.id ?? before;

const sum = <T>(list: readonly T[], numberOf: (member: T) => number): number =>
  list.reduce((total, member) => total + numberOf(member), 0);

const sameBucket = (a: BucketRow | undefined, b: BucketRow): boolean =>
  a !== undefined && a.distributing === b.distributing && a.workers.join() === b.workers.join();

const objectsOf = ([, bag]: readonly [string, BagRow]): number => objectsIn(bag);
