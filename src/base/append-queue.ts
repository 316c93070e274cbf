// A queue of lines for a file: written in order and in batches, retried after an error, bounded in memory.
import { messageOf } from './errors.ts';
import { settlesWithin } from './timeout.ts';

export interface AppendQueueOptions {
  /**
   * Appends all lines or rejects; after an error it is called again with the same lines and those that came since.
   * @param lost how many lines were dropped since the last success, for lack of memory
   */
  readonly append: (lines: readonly string[], lost: number) => Promise<void>;
  /** How long `add`, `flush` and `close` wait for the disk. */
  readonly writeTimeoutMs: number;
  /** Delay before a failed write is retried. */
  readonly retryMs: number;
  readonly maxWaitingBytes?: number;
}

/** Lines waiting for the disk. Further ones are dropped and counted. */
const defaultMaxWaitingBytes = 4_194_304;

export class AppendQueue {
  readonly #options: AppendQueueOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #writing: Promise<void> | null = null;
  #failure: string | null = null;
  /** A write has timed out: later lines do not wait until one succeeds. */
  #isStuck = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: AppendQueueOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the line is written, after an error, or after the timeout. Never rejects.
   * @param line with its newline
   */
  add(line: string): Promise<void> {
    this.#keep(line);
    return this.flush();
  }

  /** Calls `append`, even without lines. Resolves like `add`. */
  async flush(): Promise<void> {
    const written = this.#write();
    if (this.#isStuck) return;
    const { writeTimeoutMs } = this.#options;
    if (await settlesWithin(written, writeTimeoutMs)) return;
    this.#isStuck = true;
    this.#failure = `the disk did not confirm a write within ${writeTimeoutMs} ms`;
  }

  /** Why lines are not written now; null: they are. */
  get failure(): string | null {
    return this.#failure;
  }

  /** Lines waiting for the disk. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lines dropped since the last success. */
  get lost(): number {
    return this.#lost;
  }

  /** Makes a last attempt. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#waiting.length > 0 && !this.#isStuck) await this.flush();
    clearTimeout(this.#retry);
  }

  #keep(line: string): void {
    const { maxWaitingBytes = defaultMaxWaitingBytes } = this.#options;
    const bytes = Buffer.byteLength(line);
    // A single line is always accepted, even if it exceeds the limit.
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > maxWaitingBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
  }

  /** One write at a time; lines that arrive during it form the next batch. Resolves when all lines waiting now are written or have failed. */
  #write(): Promise<void> {
    if (this.#writing !== null)
      return this.#writing.then(() => (this.#waiting.length > 0 && this.#failure === null ? this.#write() : undefined));
    this.#writing = this.#writeWaiting().finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #writeWaiting(): Promise<void> {
    clearTimeout(this.#retry);
    const lines = [...this.#waiting];
    const lost = this.#lost;
    try {
      await this.#options.append(lines, lost);
      this.#waiting.splice(0, lines.length);
      this.#waitingBytes -= lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
      this.#lost -= lost;
      this.#failure = null;
      this.#isStuck = false;
    } catch (error) {
      this.#failure = messageOf(error);
      this.#retry = setTimeout(() => void this.#write(), this.#options.retryMs).unref();
    }
  }
}
