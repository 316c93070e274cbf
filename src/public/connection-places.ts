// The connections that this process may hold: as many as the node has room for, and no more than its own files allow.
import type { ConnectionCount } from '../ipc/connection-counts.ts';

export interface PlacesOptions {
  /** Over all processes. 0: no limit. */
  readonly maxConnections: number;
  /** What this process can afford. 0: any number. */
  readonly affordable: number;
  /** Left out: there is no other process. */
  readonly count?: ConnectionCount | undefined;
}

export class Places {
  readonly #options: PlacesOptions;
  #own = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  /** Takes a place for one connection, where there is one. */
  take(): boolean {
    const { affordable } = this.#options;
    if (affordable > 0 && this.#own >= affordable) return false;
    // A count that was read while it was written may be wrong, once.
    if (this.#isFull() && this.#isFull()) return false;
    this.#tell(this.#own + 1);
    return true;
  }

  giveBack(): void {
    this.#tell(this.#own - 1);
  }

  #isFull(): boolean {
    const { maxConnections, count } = this.#options;
    return maxConnections > 0 && (count?.total() ?? this.#own) >= maxConnections;
  }

  #tell(own: number): void {
    this.#own = own;
    if (this.#options.maxConnections > 0) this.#options.count?.tell(own);
  }
}
