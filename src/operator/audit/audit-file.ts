// Writes an audit log: one JSON line per entry, rotated by size; a write error is a condition, never a crash.
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Condition, condition } from '../../base/condition.ts';
import { messageOf } from '../../base/errors.ts';
import { settlesWithin } from '../../base/timeout.ts';
import { withoutTokens } from '../../log/log.ts';
import type { AuditEntry } from './audit-entry.ts';
import { olderFiles, olderName } from './audit-folder.ts';

export interface AuditFileOptions {
  /** Absolute. */
  readonly file: string;
  /** A file that would exceed this is rotated first. */
  readonly maxBytes: number;
  /** How many rotated files are kept. */
  readonly maxFiles: number;
  /** How long the answer to a command waits for the disk. */
  readonly writeTimeoutMs: number;
  readonly now: () => number;
}

/** Marks entries dropped while the disk could not be written. */
export interface LostEntries {
  readonly at: string;
  readonly lost: number;
}

/** While the disk cannot be written, entries are buffered up to this size; further ones are dropped and counted. */
const longestBacklogBytes = 4_194_304;
const retryMs = 500;

/**
 * Opens the file by name for every write, so that a moved file, a replaced directory or a full disk, and its repair, are
 * noticed with the next entry. The kernel has each entry before the command is answered, so a crash of this process
 * loses none.
 */
export class AuditFile {
  readonly #options: AuditFileOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #underWay: Promise<void> | null = null;
  #failure: string | null = null;
  /** A write has timed out: later entries do not wait until one succeeds. */
  #isStuck = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  /** Resolves when the kernel has the entry, or after a failure or timeout. Never rejects. */
  write(entry: AuditEntry): Promise<void> {
    this.#keep(`${withoutTokens(JSON.stringify(entry))}\n`);
    const written = this.#flush();
    return this.#isStuck ? Promise.resolve() : this.#settlesWithin(written);
  }

  get conditions(): readonly Condition[] {
    if (this.#failure === null) return [];
    const lost = this.#lost > 0 ? `, ${this.#lost} are lost` : '';
    const message = `The audit log ${this.#options.file} could not be written: ${this.#failure}. Entries waiting for the disk: ${this.#waiting.length}${lost}; the node keeps trying.`;
    return [condition('AuditNotWritten', 'WriteFailed', message)];
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#waiting.length > 0 && !this.#isStuck) await this.#settlesWithin(this.#flush());
    clearTimeout(this.#retry);
  }

  #keep(line: string): void {
    const bytes = Buffer.byteLength(line);
    // A single entry is always accepted, even if it exceeds the limit.
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > longestBacklogBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
  }

  /** One write at a time; entries that arrive during it are written together next. Resolves when all entries waiting now are written or have failed. */
  #flush(): Promise<void> {
    const before = this.#underWay;
    if (before !== null)
      return before.then(() => (this.#waiting.length > 0 && this.#failure === null ? this.#flush() : undefined));
    this.#underWay = this.#writeWaiting().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  async #writeWaiting(): Promise<void> {
    clearTimeout(this.#retry);
    const { length } = this.#waiting;
    const lost = this.#lost;
    const at = new Date(this.#options.now()).toISOString();
    const lines = this.#waiting.slice(0, length);
    if (lost > 0) lines.push(`${JSON.stringify({ at, lost } satisfies LostEntries)}\n`);
    try {
      await this.#append(Buffer.from(lines.join('')));
      this.#waitingBytes -= this.#waiting.splice(0, length).reduce((sum, line) => sum + Buffer.byteLength(line), 0);
      this.#lost -= lost;
      this.#failure = null;
      this.#isStuck = false;
    } catch (error) {
      this.#failure = messageOf(error);
      this.#retry = setTimeout(() => void this.#flush(), retryMs).unref();
    }
  }

  async #append(data: Buffer): Promise<void> {
    const { maxBytes } = this.#options;
    let handle = await this.#opened();
    try {
      let { size } = await handle.stat();
      if (size > 0 && size + data.length > maxBytes) {
        await handle.close();
        await this.#rotate();
        handle = await this.#opened();
        ({ size } = await handle.stat());
      }
      // End a line that a crash left incomplete, so that it does not merge with the next entry.
      const isTorn = size > 0 && (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0] !== 0x0a;
      try {
        await handle.appendFile(isTorn ? Buffer.concat([Buffer.from('\n'), data]) : data);
      } catch (error) {
        // The entries are retried as a whole: remove a partial write.
        await handle.truncate(size).catch(() => {});
        throw error;
      }
    } finally {
      await handle.close().catch(() => {});
    }
  }

  /** The directory is created only at start: one removed later is a condition, which must not be hidden. */
  #opened() {
    return open(this.#options.file, 'a+', 0o600);
  }

  async #rotate(): Promise<void> {
    const { file, maxFiles, now } = this.#options;
    const older = await olderFiles(file);
    // Even if the clock was set back, names sort in the order of the entries.
    const endedMs = Math.max(now(), (older.at(-1)?.endedMs ?? 0) + 1);
    await rename(file, olderName(file, endedMs));
    for (const { path } of older.slice(0, Math.max(0, older.length + 1 - maxFiles))) await rm(path, { force: true });
  }

  /** Waits for a write, up to the timeout. */
  async #settlesWithin(written: Promise<void>): Promise<void> {
    const { writeTimeoutMs } = this.#options;
    if (await settlesWithin(written, writeTimeoutMs)) return;
    this.#isStuck = true;
    this.#failure = `the disk did not confirm a write within ${writeTimeoutMs} ms`;
  }
}

/** Creates the directory if needed. Never rejects: an error becomes a condition with the first entry. */
export async function openAuditFile(options: AuditFileOptions): Promise<AuditFile> {
  await mkdir(dirname(options.file), { recursive: true, mode: 0o700 }).catch(() => {});
  return new AuditFile(options);
}
