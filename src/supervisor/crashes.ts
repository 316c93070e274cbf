// Conditions about processes of one kind that died, until none has died for `calmMs`.
import { condition, type DatedCondition } from '../base/condition.ts';
import type { Departure } from './supervised-process.ts';

/** A failure streak of this length is a crash loop. */
const loopLength = 4;

/** How the conditions speak about the processes. */
export interface CrashWords {
  /** `server process`. */
  readonly what: string;
  readonly crashed: 'WorkerCrashed' | 'ContentCrashed';
  readonly loop: 'WorkerCrashLoop' | 'ContentCrashLoop';
}

export const serverCrashes: CrashWords = {
  what: 'server process',
  crashed: 'WorkerCrashed',
  loop: 'WorkerCrashLoop',
};

export const contentCrashes: CrashWords = {
  what: 'content process',
  crashed: 'ContentCrashed',
  loop: 'ContentCrashLoop',
};

export class Crashes {
  readonly #words: CrashWords;
  readonly #calmMs: number;
  readonly #now: () => number;
  /** Deaths with less than `calmMs` between them; null: none. */
  #episode: { readonly first: Departure; last: Departure; lastMs: number; count: number } | null = null;
  #loopSince: number | null = null;

  /**
   * @param calmMs time without a death after which the condition is cleared
   * @param now a monotonic clock
   */
  constructor(calmMs: number, words: CrashWords, now: () => number = () => performance.now()) {
    this.#words = words;
    this.#calmMs = calmMs;
    this.#now = now;
  }

  note(departure: Departure): void {
    const { count = 0, first = departure } = this.#current() ?? {};
    this.#episode = { first, last: departure, lastMs: this.#now(), count: count + 1 };
  }

  /**
   * @param streak the longest failure streak of all slots
   * @param nextTryAt when that slot is filled again; null: it is
   */
  conditions(streak: number, nextTryAt: number | null): DatedCondition[] {
    const episode = this.#current();
    if (episode === null || streak < loopLength) this.#loopSince = null;
    if (episode === null) return [];
    const { first, last, count } = episode;
    const times = count === 1 ? 'once' : `${count} times`;
    const { what, crashed: crashedType, loop: loopType } = this.#words;
    const message = `${capital(what)} ${last.pid} ${last.description} at ${iso(last.at)}. ${capital(what)}es died ${times} since ${iso(first.at)}; each is replaced.`;
    const crashed = { ...condition(crashedType, last.reason, message), since: iso(first.at) };
    if (streak < loopLength) return [crashed];
    this.#loopSince ??= last.at;
    const next = nextTryAt === null ? 'It has been started again.' : `The next attempt is at ${iso(nextTryAt)}.`;
    const loop = `A ${what} died ${streak} times in a row; the last one ${last.description}. ${next}`;
    return [crashed, { ...condition(loopType, last.reason, loop), since: iso(this.#loopSince) }];
  }

  #current() {
    if (this.#episode !== null && this.#now() - this.#episode.lastMs > this.#calmMs) this.#episode = null;
    return this.#episode;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const iso = (at: number): string => new Date(at).toISOString();
