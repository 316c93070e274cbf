// Counts the requests that a server process has answered from copies, and reports them in bounded batches.
const batchMs = 5000;
/** Maximum number of objects in a batch: requests for further objects are not counted. */
const maxObjects = 1000;

export class CopyUses {
  readonly #report: (uses: Readonly<Record<string, number>>) => void;
  readonly #everyMs: number;
  readonly #counts = new Map<string, number>();
  #timer: NodeJS.Timeout | null = null;

  /** @param report called with id → number of requests */
  constructor(report: (uses: Readonly<Record<string, number>>) => void, everyMs = batchMs) {
    this.#report = report;
    this.#everyMs = everyMs;
  }

  count(id: string): void {
    const count = this.#counts.get(id);
    if (count === undefined && this.#counts.size >= maxObjects) return;
    this.#counts.set(id, (count ?? 0) + 1);
    this.#timer ??= setTimeout(() => this.flush(), this.#everyMs).unref();
  }

  /** Reports now what has been counted. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#counts.size === 0) return;
    this.#report(Object.fromEntries(this.#counts));
    this.#counts.clear();
  }
}
