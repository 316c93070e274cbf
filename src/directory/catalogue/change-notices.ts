// Notifies listeners of changes, once for all those of a moment.

/** Changes are gathered for this long: reads of small files make thousands a second. */
const gatherMs = 100;

export class ChangeNotices {
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  soon(): void {
    if (this.#isStopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      for (const listener of [...this.#listeners]) listener();
    }, gatherMs);
  }

  /** @returns a function that unsubscribes */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}
