// Refused tokens as events: the first few one by one, a flood of them summed up, since anybody can make one.
import type { AuditEntry } from './audit.ts';

/** So many are told one by one within this time. */
const maxSingly = 10;
const windowMs = 10_000;

export class RefusalSum {
  readonly #now: () => number;
  #begunAt = Number.NEGATIVE_INFINITY;
  #told = 0;
  #untold = 0;
  #last: AuditEntry | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is to be told of this one; null: nothing now. */
  take(entry: AuditEntry): AuditEntry | null {
    if (this.#now() - this.#begunAt >= windowMs && this.#untold === 0) {
      this.#begunAt = this.#now();
      this.#told = 0;
    }
    if (this.#told < maxSingly) {
      this.#told += 1;
      return entry;
    }
    this.#untold += 1;
    this.#last = entry;
    return null;
  }

  /** The sum that is due; null: none is. To be called every so often, and at the end with `anyway`. */
  due(anyway = false): AuditEntry | null {
    const last = this.#last;
    if (last === null || (!anyway && this.#now() - this.#begunAt < windowMs)) return null;
    const detail = `${this.#untold} more requests with refused tokens; of the last one: ${last.detail}`;
    this.#begunAt = this.#now();
    this.#told = maxSingly;
    this.#untold = 0;
    this.#last = null;
    return { ...last, detail };
  }
}
