// The audit log on disk: one JSON line an entry, set aside by size; what cannot be written is a condition, never a crash.
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
  /** A file that would be longer with what comes next is set aside first. */
  readonly maxBytes: number;
  /** How many files set aside are kept. */
  readonly maxFiles: number;
  /** How long a command waits for the disk before it is answered all the same. */
  readonly writeTimeoutMs: number;
  readonly now: () => number;
}

/** Stands where entries were dropped, because the disk did not take them for too long. */
export interface LostEntries {
  readonly at: string;
  readonly lost: number;
}

/** While the disk does not take them, entries wait up to this length; further ones are dropped and counted. */
const longestBacklogBytes = 4_194_304;
const retryMs = 500;

/**
 * Opens the file by its name for every write: one that has been moved away, a directory that was replaced or a disk that
 * was full are noticed with the next entry, and no more so than when they are mended. The kernel has each entry before
 * the command is answered, so that the end of this process loses none.
 */
export class AuditFile {
  readonly #options: AuditFileOptions;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #underWay: Promise<void> | null = null;
  #failure: string | null = null;
  /** The disk has been waited for in vain: nobody waits again before it has come back. */
  #isStuck = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  /** Resolves when the kernel has it, or when that has failed or taken too long. Never rejects. */
  write(entry: AuditEntry): Promise<void> {
    this.#keep(`${withoutTokens(JSON.stringify(entry))}\n`);
    const written = this.#flush();
    return this.#isStuck ? Promise.resolve() : this.#settlesWithin(written);
  }

  get conditions(): readonly Condition[] {
    if (this.#failure === null) return [];
    const lost = this.#lost > 0 ? `, ${this.#lost} are lost` : '';
    const message = `The audit log ${this.#options.file} could not be written: ${this.#failure}. Entries that wait for the disk: ${this.#waiting.length}${lost}; the node keeps trying.`;
    return [condition('AuditNotWritten', 'WriteFailed', message)];
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#waiting.length > 0 && !this.#isStuck) await this.#settlesWithin(this.#flush());
    clearTimeout(this.#retry);
  }

  #keep(line: string): void {
    const bytes = Buffer.byteLength(line);
    // Whole or not at all, but a single entry always has room.
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > longestBacklogBytes) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
  }

  /** One write at a time; what comes while it is under way goes into the next one. Resolves when all that waits now is written, or could not be. */
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
        await this.#setAside();
        handle = await this.#opened();
        ({ size } = await handle.stat());
      }
      // What a crash tore off must not run into the next entry.
      const isTorn = size > 0 && (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0] !== 0x0a;
      try {
        await handle.appendFile(isTorn ? Buffer.concat([Buffer.from('\n'), data]) : data);
      } catch (error) {
        // It is written again, whole, when there is room: half of it must not stay.
        await handle.truncate(size).catch(() => {});
        throw error;
      }
    } finally {
      await handle.close().catch(() => {});
    }
  }

  /** The directory is made at start alone: one that has gone is a condition of the disk, which this file must not hide. */
  #opened() {
    return open(this.#options.file, 'a+', 0o600);
  }

  async #setAside(): Promise<void> {
    const { file, maxFiles, now } = this.#options;
    const older = await olderFiles(file);
    // Also where the clock was set back: the order of the names is the order of the entries.
    const endedMs = Math.max(now(), (older.at(-1)?.endedMs ?? 0) + 1);
    await rename(file, olderName(file, endedMs));
    for (const { path } of older.slice(0, Math.max(0, older.length + 1 - maxFiles))) await rm(path, { force: true });
  }

  /** Waits for a write, but not for ever. */
  async #settlesWithin(written: Promise<void>): Promise<void> {
    const { writeTimeoutMs } = this.#options;
    if (await settlesWithin(written, writeTimeoutMs)) return;
    this.#isStuck = true;
    this.#failure = `the disk did not take it within ${writeTimeoutMs} ms`;
  }
}

/** Makes the directory where it is not there. Never rejects: what goes wrong is a condition, told with the first entry. */
export async function openAuditFile(options: AuditFileOptions): Promise<AuditFile> {
  await mkdir(dirname(options.file), { recursive: true, mode: 0o700 }).catch(() => {});
  return new AuditFile(options);
}
