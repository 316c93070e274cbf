// Remembers used request tokens: each is accepted once, even if the clock is set back.
import type { Condition } from '../../base/condition.ts';

/**
 * `full`: not known as used, but there is no room to remember it. `forgotten`: possibly used before; it had expired and
 * was forgotten before the clock was set back.
 */
export type Take = 'taken' | 'replayed' | 'forgotten' | 'full';

/** The port: in memory for tests, in a file (`used-tokens-file.ts`) for nodes. */
export interface UsedTokens {
  /**
   * Consume a token. Never rejects. Of two concurrent calls with one key, one gets `taken`.
   * @param key 43 characters of base64url
   * @param expiresAtMs when the token expires: milliseconds since the epoch
   */
  take(key: string, expiresAtMs: number): Promise<Take>;
  readonly conditions: readonly Condition[];
  close(): Promise<void>;
}

export interface TokenMemoryOptions {
  /** How many are remembered. Expired ones are forgotten only to make room. */
  readonly max: number;
  readonly now: () => number;
}

/** The memory itself; synchronous, so that check and insert are atomic. */
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

  /** Remember a token used before a restart, even beyond the limit. */
  restore(key: string, expiresAtMs: number): void {
    this.#expiries.set(key, expiresAtMs);
    this.#earliestMs = Math.min(this.#earliestMs, expiresAtMs);
  }

  /** Record that tokens that expired up to then were forgotten, possibly before a restart. */
  noteForgotten(upToMs: number): void {
    this.#forgottenUpToMs = Math.max(this.#forgottenUpToMs, upToMs);
  }

  /** All remembered tokens, as `[key, expiresAtMs]`. */
  entries(): [string, number][] {
    return [...this.#expiries];
  }

  /** No token that expires later has been forgotten. */
  get forgottenUpToMs(): number {
    return this.#forgottenUpToMs;
  }

  get size(): number {
    return this.#expiries.size;
  }

  /** Scans the tokens only if at least one has expired. */
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
