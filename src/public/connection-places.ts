// The connection limits of this process: that of the whole node, and what its own open-file limit allows.
import type { ConnectionCount } from '../ipc/connection-counts.ts';

export interface PlacesOptions {
  /** Over all server processes. 0: no limit. */
  readonly maxConnections: number;
  /** Limit of this process. 0: no limit. */
  readonly affordable: number;
  /** Left out: there are no other processes. */
  readonly count?: ConnectionCount | undefined;
}

export class Places {
  readonly #options: PlacesOptions;
  #own = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Takes a place for one connection; false: there is none. */
  take(): boolean {
    const { affordable } = this.#options;
    if (affordable > 0 && this.#own >= affordable) return false;
    // A count read during a write may be wrong, but not twice.
    if (this.#isFull() && this.#isFull()) return false;
    this.#set(this.#own + 1);
    return true;
  }

  giveBack(): void {
    this.#set(this.#own - 1);
  }

  #isFull(): boolean {
    const { maxConnections, count } = this.#options;
    return maxConnections > 0 && (count?.total() ?? this.#own) >= maxConnections;
  }

  #set(own: number): void {
    this.#own = own;
    if (this.#options.maxConnections > 0) this.#options.count?.set(own);
  }
}
