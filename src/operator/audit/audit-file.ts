// Writes an audit log: one JSON line per entry, rotated by size; a write error is a condition, never a crash.
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appendLines } from '../../base/append-lines.ts';
import { AppendQueue } from '../../base/append-queue.ts';
import { type Condition, condition } from '../../base/condition.ts';
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

const retryMs = 500;

/** The kernel has each entry before the command is answered, so a crash of this process loses none. */
export class AuditFile {
  readonly #options: AuditFileOptions;
  readonly #queue: AppendQueue;

  constructor(options: AuditFileOptions) {
    this.#options = options;
    const { writeTimeoutMs } = options;
    this.#queue = new AppendQueue({ append: (lines, lost) => this.#append(lines, lost), writeTimeoutMs, retryMs });
  }

  /** Resolves when the kernel has the entry, or after a failure or timeout. Never rejects. */
  write(entry: AuditEntry): Promise<void> {
    return this.#queue.add(`${withoutTokens(JSON.stringify(entry))}\n`);
  }

  get conditions(): readonly Condition[] {
    const { failure, waiting, lost } = this.#queue;
    if (failure === null) return [];
    const alsoLost = lost > 0 ? `, ${lost} are lost` : '';
    const message = `The audit log ${this.#options.file} could not be written: ${failure}. Entries waiting for the disk: ${waiting}${alsoLost}; the node keeps trying.`;
    return [condition('AuditNotWritten', 'WriteFailed', message)];
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  async #append(entries: readonly string[], lost: number): Promise<void> {
    const { file, maxBytes, now } = this.#options;
    const mark = { at: new Date(now()).toISOString(), lost } satisfies LostEntries;
    const lines = lost > 0 ? [...entries, `${JSON.stringify(mark)}\n`] : entries;
    const accepts = (size: number, adding: number) => size === 0 || size + adding <= maxBytes;
    if ((await appendLines(file, lines, { accepts })) !== null) return;
    await this.#rotate();
    await appendLines(file, lines);
  }

  async #rotate(): Promise<void> {
    const { file, maxFiles, now } = this.#options;
    const older = await olderFiles(file);
    // Even if the clock was set back, names sort in the order of the entries.
    const endedMs = Math.max(now(), (older.at(-1)?.endedMs ?? 0) + 1);
    await rename(file, olderName(file, endedMs));
    for (const { path } of older.slice(0, Math.max(0, older.length + 1 - maxFiles))) await rm(path, { force: true });
  }
}

/** Creates the directory if needed. Never rejects: an error becomes a condition with the first entry. */
export async function openAuditFile(options: AuditFileOptions): Promise<AuditFile> {
  await mkdir(dirname(options.file), { recursive: true, mode: 0o700 }).catch(() => {});
  return new AuditFile(options);
}
