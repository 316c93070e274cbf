// Looks up single objects: one query at a time for all waiting objects, cached, and bounded against floods of random ids.
import { LRUCache } from 'lru-cache';
import type { DataObject } from '../../../machines/answer.ts';
import type { LookUp } from '../../ipc/look-up.ts';
import type { ObjectIndex } from '../../store/object-index.ts';
import type { Clock } from './clock.ts';
import type { SquidObject, SquidSingle } from './squid-answers.ts';
import type { SquidClient } from './squid-client.ts';
import type { SquidConditions } from './squid-conditions.ts';
import { SquidFailure } from './squid-request.ts';

export interface LookUpOptions {
  readonly client: Pick<SquidClient, 'objects'>;
  readonly index: Pick<ObjectIndex, 'object' | 'bag' | 'bucket'>;
  readonly conditions: SquidConditions;
  readonly clock: Clock;
  readonly pauseMs: number;
  readonly maxWaiting: number;
  /** 0: nothing is cached. */
  readonly cacheMs: number;
  readonly maxCached: number;
  /** Aborted when the directory stops. */
  readonly signal: AbortSignal;
}

/** Ids per query. */
const maxTogether = 100;
/** Longer ids do not exist: a number of 128 bits has 39 digits. */
const possibleId = /^[0-9]{1,40}$/;
/** Backoff after a failure; doubled with each further one. */
const firstBackoffMs = 1000;
const maxBackoffMs = 10_000;

/** Single objects that may fail one after another before the squid itself is at fault. */
const maxFailedInARow = 3;

const unknown: LookUp = { result: 'unknown' };
const undecided: LookUp = { result: 'undecided' };

interface Waiting {
  readonly answer: Promise<LookUp>;
  readonly resolve: (answer: LookUp) => void;
}

export class SquidLookUps {
  readonly #options: LookUpOptions;
  readonly #cache: LRUCache<string, LookUp> | null;
  /** Includes those of the query in progress. */
  readonly #waiting = new Map<string, Waiting>();
  #isAsking = false;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #backoffMs = firstBackoffMs;
  #failedInARow = 0;

  constructor(options: LookUpOptions) {
    this.#options = options;
    const { cacheMs, maxCached, clock } = options;
    const perf = { now: () => clock.monotonicMs() };
    this.#cache = cacheMs === 0 ? null : new LRUCache({ max: maxCached, ttl: cacheMs, ttlResolution: 0, perf });
  }

  /** Never rejects. */
  async lookUp(objectId: string): Promise<LookUp> {
    if (!possibleId.test(objectId)) return unknown;
    const known = this.#inIndex(objectId) ?? this.#cache?.get(objectId) ?? this.#waiting.get(objectId)?.answer;
    if (known) return known;
    const { clock, maxWaiting, signal } = this.#options;
    const isBackingOff = clock.monotonicMs() < this.#retryAtMs;
    if (isBackingOff || signal.aborted || this.#waiting.size >= maxWaiting) return undecided;
    let resolve: Waiting['resolve'] = () => {};
    const answer = new Promise<LookUp>((done) => {
      resolve = done;
    });
    this.#waiting.set(objectId, { answer, resolve });
    if (!this.#isAsking) void this.#askAll();
    return answer;
  }

  #inIndex(id: string): LookUp | undefined {
    const { index } = this.#options;
    const row = index.object(id);
    const ids = row && index.bag(row.bag)?.distributionBuckets;
    if (!ids) return undefined;
    return found({ id, ...row }, ids, (bucket) => index.bucket(bucket)?.workers ?? []);
  }

  async #askAll(): Promise<void> {
    const { clock, pauseMs, signal } = this.#options;
    this.#isAsking = true;
    while (this.#waiting.size > 0) {
      const ids = [...this.#waiting.keys()].slice(0, maxTogether);
      await this.#ask(ids);
      await clock.sleep(pauseMs, signal);
    }
    this.#isAsking = false;
  }

  async #ask(ids: readonly string[]): Promise<void> {
    const { client, conditions } = this.#options;
    try {
      const singles = new Map((await client.objects(ids)).map((single) => [single.object.id, single]));
      this.#backoffMs = firstBackoffMs;
      this.#failedInARow = 0;
      conditions.answered('lookUp');
      for (const id of ids) {
        const single = singles.get(id);
        this.#settle(id, single ? answerOf(single) : unknown);
      }
    } catch (error) {
      if (error instanceof SquidFailure) conditions.failed('lookUp', error);
      const mayBeOne =
        error instanceof SquidFailure && (error.reason === 'QueryFailed' || error.reason === 'BadAnswer');
      if (!mayBeOne) this.#giveUp(error);
      else if (ids.length > 1) await this.#askSingly(ids, error);
      else this.#failOne(ids[0] ?? '', error);
    }
  }

  /** One object whose rows are wrong spoils the answer about all; it must not stop look-ups of others. */
  async #askSingly(ids: readonly string[], error: unknown): Promise<void> {
    const { clock, pauseMs, signal } = this.#options;
    for (const id of ids) {
      // All may have been given up in the meantime.
      if (!this.#waiting.has(id)) return;
      await clock.sleep(pauseMs, signal);
      await this.#ask([id]);
    }
    if (signal.aborted) this.#giveUp(error);
  }

  #failOne(id: string, error: unknown): void {
    this.#failedInARow += 1;
    if (this.#failedInARow >= maxFailedInARow) this.#giveUp(error);
    else this.#settle(id, undecided);
  }

  /** All that wait are undecided: the next query would fail like this one. */
  #giveUp(error: unknown): void {
    for (const { resolve } of this.#waiting.values()) resolve(undecided);
    this.#waiting.clear();
    if (!(error instanceof SquidFailure)) return;
    this.#retryAtMs = this.#options.clock.monotonicMs() + this.#backoffMs;
    this.#backoffMs = Math.min(2 * this.#backoffMs, maxBackoffMs);
  }

  #settle(id: string, answer: LookUp): void {
    this.#cache?.set(id, answer);
    this.#waiting.get(id)?.resolve(answer);
    this.#waiting.delete(id);
  }
}

function answerOf({ object, buckets }: SquidSingle): LookUp {
  const workers = new Map(buckets.map((bucket) => [bucket.id, bucket.workers]));
  return found(object, [...workers.keys()].sort(), (id) => workers.get(id) ?? []);
}

function found(
  { id, size, type, hash, accepted }: SquidObject,
  buckets: readonly string[],
  workersOf: (bucketId: string) => readonly number[],
): LookUp {
  const object: DataObject = { id, path: null, size, type, hash, verified: null, accepted, buckets };
  return { result: 'found', object, bucketWorkers: Object.fromEntries(buckets.map((id) => [id, workersOf(id)])) };
}
