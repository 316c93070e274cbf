// Deaths that a damaged page of the index can cause: wrong bytes in it may end a process that reads them, without an error.

const signals: readonly string[] = ['SIGABRT', 'SIGSEGV', 'SIGBUS'];

/** So many deaths within this time make the index suspect. */
const deathsNeeded = 3;
const withinMs = 60_000;

/** The index is suspect at most once in this time: deaths with another cause must not rebuild it again and again. */
const restMs = 600_000;

export class IndexDeaths {
  readonly #now: () => number;
  /** Times of the latest deaths. */
  #deaths: number[] = [];
  #suspectedAt = Number.NEGATIVE_INFINITY;

  /** @param now a monotonic clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * A server or content process died.
   * @param reason the signal that ended it, or another word
   * @returns why the index must be rebuilt, for an operator; null: it need not
   */
  note(reason: string): string | null {
    if (!signals.includes(reason)) return null;
    const now = this.#now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < withinMs), now];
    if (this.#deaths.length < deathsNeeded || now - this.#suspectedAt < restMs) return null;
    this.#suspectedAt = now;
    this.#deaths = [];
    return `Processes that read it died ${deathsNeeded} times within ${withinMs / 1000} s, at last by ${reason}`;
  }
}
