// Which request tokens have been used: each is taken once, whatever the clock does later.
import type { Condition } from '../../base/condition.ts';

/**
 * `full`: it was not used before as far as is known, but cannot be remembered. `forgotten`: it may have been used before.
 * Its times alone refused it until the clock was set back.
 */
export type Take = 'taken' | 'replayed' | 'forgotten' | 'full';

/** The port; in memory for tests and trials, in a file (`used-tokens-file.ts`) for nodes. */
export interface UsedTokens {
  /**
   * Use a token up. Never rejects: two calls at once with one key give `taken` to one of them.
   * @param key 43 characters of base64url
   * @param expiresAtMs from then on its times refuse it, unless the clock is set back: milliseconds since the epoch
   */
  take(key: string, expiresAtMs: number): Promise<Take>;
  /** What the state document has to say. */
  readonly conditions: readonly Condition[];
  close(): Promise<void>;
}

export interface TokenMemoryOptions {
  /** How many are remembered at once. Only where there is no room for another one are expired ones forgotten. */
  readonly max: number;
  readonly now: () => number;
}

/** The memory itself, without any waiting: what is asked and what is answered lie in one synchronous block. */
export class TokenMemory {
  readonly #expiries = new Map<string, number>();
  readonly #options: TokenMemoryOptions;
  #earliestMs = Number.POSITIVE_INFINITY;
  #forgottenUpToMs = 0;

  constructor(options: TokenMemoryOptions) {
    this.#options = options;
  }

  take(key: string, expiresAtMs: number): Take {
    if (this.#expiries.has(key)) return 'replayed';
    if (expiresAtMs <= this.#forgottenUpToMs) return 'forgotten';
    if (this.#expiries.size >= this.#options.max) this.#forgetExpired();
    if (this.#expiries.size >= this.#options.max) return 'full';
    this.restore(key, expiresAtMs);
    return 'taken';
  }

  /** Remember one that was used before a restart, whatever the limit. */
  restore(key: string, expiresAtMs: number): void {
    this.#expiries.set(key, expiresAtMs);
    this.#earliestMs = Math.min(this.#earliestMs, expiresAtMs);
  }

  /** Some that expired then or earlier were forgotten, be it before a restart. */
  noteForgotten(upToMs: number): void {
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, upToMs);
  }

  /** All that are remembered, as `[key, expiresAtMs]`. */
  entries(): [string, number][] {
    return [...this.#expiries];
  }

  /** None that expires later has been forgotten. */
  get forgottenUpToMs(): number {
    return this.#forgottenUpToMs;
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** Looks at every token only when at least one of them has expired. */
  #forgetExpired(): void {
    const now = this.#options.now();
    if (now <= this.#earliestMs) return;
    this.#earliestMs = Number.POSITIVE_INFINITY;
    for (const [key, expiresAtMs] of this.#expiries) {
      if (expiresAtMs < now) {
        this.#expiries.delete(key);
        this.noteForgotten(expiresAtMs);
      } else this.#earliestMs = Math.min(this.#earliestMs, expiresAtMs);
    }
  }
}

export function usedTokensInMemory(options: TokenMemoryOptions): UsedTokens {
  const memory = new TokenMemory(options);
  return {
    take: async (key, expiresAtMs) => memory.take(key, expiresAtMs),
    conditions: [],
    close: async () => {},
  };
}
