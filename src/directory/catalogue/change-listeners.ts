// Notifies listeners of changes, merging those close in time.

/** Changes within this time are merged: small files cause thousands a second. */
const gatherMs = 100;

export class ChangeListeners {
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #isStopped = false;

  notifySoon(): void {
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
