// What is remembered of workers that died: the conditions to be shown, until a calm time has passed.
import { condition, type DatedCondition } from '../base/condition.ts';
import type { Departure } from './server-process.ts';

/** So many deaths in a row, without one worker that served for a while, are a loop. */
const loopLength = 4;

export class Crashes {
  readonly #calmMs: number;
  readonly #now: () => number;
  /** Deaths with less than a calm time between them; null: all is calm. */
  #episode: { readonly first: Departure; last: Departure; lastMs: number; count: number } | null = null;
  #loopSince: number | null = null;

  /**
   * @param calmMs how long nothing must have died before the condition counts as over
   * @param now a clock that setting the time of day does not move
   */
  constructor(calmMs: number, now: () => number = () => performance.now()) {
    this.#calmMs = calmMs;
    this.#now = now;
  }

  note(departure: Departure): void {
    const { count = 0, first = departure } = this.#current() ?? {};
    this.#episode = { first, last: departure, lastMs: this.#now(), count: count + 1 };
  }

  /**
   * @param inARow deaths of the worker that fares worst since one last served for a while
   * @param nextTryAt when it is started again; null: it has been
   */
  conditions(inARow: number, nextTryAt: number | null): DatedCondition[] {
    const episode = this.#current();
    if (episode === null || inARow < loopLength) this.#loopSince = null;
    if (episode === null) return [];
    const { first, last, count } = episode;
    const times = count === 1 ? 'once' : `${count} times`;
    const message = `Public worker ${last.pid} ${last.words} at ${iso(last.at)}. Workers died ${times} since ${iso(first.at)}; each is replaced.`;
    const crashed = { ...condition('WorkerCrashed', last.reason, message), since: iso(first.at) };
    if (inARow < loopLength) return [crashed];
    this.#loopSince ??= last.at;
    const next = nextTryAt === null ? 'It has been started again.' : `The next try is at ${iso(nextTryAt)}.`;
    const loop = `A public worker died ${inARow} times in a row; the last one ${last.words}. ${next}`;
    return [crashed, { ...condition('WorkerCrashLoop', last.reason, loop), since: iso(this.#loopSince) }];
  }

  #current() {
    if (this.#episode !== null && this.#now() - this.#episode.lastMs > this.#calmMs) this.#episode = null;
    return this.#episode;
  }
}

const iso = (at: number): string => new Date(at).toISOString();
