// A bounded queue of log lines. Lines beyond the limit are dropped, counted, and reported in a line of their own.

export const longestBacklogBytes = 1_048_576;

export class LogBacklog {
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;

  /** Lines dropped since the last one that was kept. */
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

  /** Removes and returns all lines, in order. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    return bytes;
  }

  /** Returns lines that could not be written to the front of the queue. */
  putBack(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#waiting.unshift(bytes);
    this.#bytes += bytes.length;
  }
}
