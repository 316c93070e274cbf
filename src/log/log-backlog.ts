// Log lines that wait for whoever takes them: so many bytes and no more; what is too much is dropped, counted and told.

export const longestBacklogBytes = 1_048_576;

export class LogBacklog {
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;

  /** Lines lost since the last one that was not. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  add(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#bytes + bytes.length > longestBacklogBytes) {
      this.#dropped += 1;
      return;
    }
    if (this.#dropped > 0 && this.isEmpty) {
      const note = { level: 40, time: Date.now(), dropped: this.#dropped, msg: 'log lines were dropped' };
      this.#dropped = 0;
      this.putBack(Buffer.from(`${JSON.stringify(note)}\n`));
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
  }

  /** All that waits, in order; nothing waits then. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    return bytes;
  }

  /** What was taken and could not be used, to be the first to be taken again. */
  putBack(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#waiting.unshift(bytes);
    this.#bytes += bytes.length;
  }
}
