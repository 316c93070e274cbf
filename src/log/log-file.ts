// The log on disk. Lines are written in the background, so that a full, missing or hung disk does not block the node.
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Condition, condition, type ReasonOf } from '../base/condition.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import { settlesWithin } from '../base/timeout.ts';
import { LogBacklog } from './log-backlog.ts';
import { LogFolder, type LogFolderOptions, periodOf } from './log-folder.ts';
import type { LogOut } from './log-output.ts';

export interface LogFileOptions extends LogFolderOptions {
  /** Size at which the next file is started. */
  readonly maxSize: number;
  /** A write that takes longer counts as failed, though it may still succeed. */
  readonly writeTimeoutMs: number;
  /** Delay before lines that could not be written are retried. */
  readonly retryMs: number;
  readonly now?: () => number;
  readonly openFile?: typeof open;
}

/** Without `O_NONBLOCK`, opening a named pipe blocks a thread until a reader opens it. */
const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK;

/**
 * Opens the file by its name for every batch of lines, to notice a removed folder, a replaced disk or free space with the
 * next line. Lines are queued while a batch is written.
 */
export class LogFile implements LogOut {
  readonly #options: LogFileOptions;
  readonly #folder: LogFolder;
  readonly #backlog = new LogBacklog();
  #place: { readonly period: string; part: number } | null = null;
  #current: string | null = null;
  #tidying: Promise<void> = Promise.resolve();
  #failure: string | null = null;
  #untidy: string | null = null;
  #writing: Promise<void> | null = null;
  /** Start of the current write by `performance.now()`; null: none. */
  #writingSince: number | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#folder = new LogFolder(options);
  }

  write(line: string): void {
    this.#backlog.add(line);
    if (this.#retry === null) this.#begin();
  }

  /** At most one condition, without its time. */
  get conditions(): readonly Condition[] {
    const { path, writeTimeoutMs } = this.#options;
    const notWritten = (reason: ReasonOf<'LogNotWritten'>, message: string) => [
      condition('LogNotWritten', reason, message),
    ];
    const lost = this.#backlog.dropped > 0 ? `; ${this.#backlog.dropped} lines lost so far` : '';
    if (this.isStuck)
      return notWritten('NoAnswer', `The disk of ${path} has not answered for ${writeTimeoutMs} ms${lost}`);
    if (this.#failure !== null)
      return notWritten('WriteFailed', `The log in ${path} is not written: ${this.#failure}${lost}`);
    if (this.#untidy !== null)
      return notWritten('NotTidied', `Old logs in ${path} cannot be compressed or removed: ${this.#untidy}`);
    return [];
  }

  /**
   * Writes the queued lines, with a timeout.
   * @returns whether the disk hangs: a thread then waits for it and keeps the process from exiting
   */
  async close(graceMs: number): Promise<{ readonly isStuck: boolean }> {
    this.#isClosed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#begin();
    return { isStuck: this.#writing !== null && !(await settlesWithin(this.#writing, graceMs)) };
  }

  get #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  /** Whether the current write has exceeded its timeout. */
  get isStuck(): boolean {
    return this.#writingSince !== null && performance.now() - this.#writingSince > this.#options.writeTimeoutMs;
  }

  #begin(): void {
    if (this.#writing !== null || this.#backlog.isEmpty) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = null;
    });
  }

  async #writeAll(): Promise<void> {
    while (!this.#backlog.isEmpty) {
      const batch = { left: this.#backlog.take() };
      this.#writingSince = performance.now();
      try {
        await this.#append(batch);
        this.#failure = null;
      } catch (error) {
        this.#backlog.putBack(batch.left);
        this.#fail(messageOf(error));
        return;
      } finally {
        this.#writingSince = null;
      }
    }
  }

  #fail(why: string): void {
    this.#failure = why;
    this.#place = null;
    if (this.#isClosed) return;
    this.#retry = setTimeout(() => {
      this.#retry = null;
      this.#begin();
    }, this.#options.retryMs).unref();
  }

  /** @param batch `left` holds the lines still to be written, also after a failure */
  async #append(batch: { left: Buffer }): Promise<void> {
    while (batch.left.length > 0) {
      const { path, handle, room } = await this.#open();
      try {
        const until = batch.left.length - fitting(batch.left, room).length;
        while (batch.left.length > until) {
          const { bytesWritten } = await handle.write(batch.left, 0, batch.left.length - until);
          batch.left = batch.left.subarray(bytesWritten);
        }
      } finally {
        await handle.close();
      }
      this.#tidy(path);
    }
  }

  /** Runs after each change of file, one at a time. */
  #tidy(current: string): void {
    if (this.#current === current) return;
    this.#current = current;
    this.#tidying = this.#tidying.then(async () => {
      this.#untidy = await this.#folder.tidy(current).then(() => null, messageOf);
    });
  }

  /** The current file and how many more bytes it takes; a full file is followed by the next. */
  async #open(): Promise<{ readonly path: string; readonly handle: FileHandle; readonly room: number }> {
    const { frequency, maxSize } = this.#options;
    const period = periodOf(new Date(this.#now), frequency);
    if (this.#place?.period !== period) this.#place = { period, part: await this.#lastPart(period) };
    for (;;) {
      const path = this.#folder.pathOf(period, this.#place.part);
      const handle = await this.#openFile(path);
      const file = await handle.stat();
      if (file.isFile() && file.size < maxSize) return { path, handle, room: maxSize - file.size };
      await handle.close();
      if (!file.isFile()) throw new Error(`${path} is not a file`);
      this.#place.part += 1;
    }
  }

  async #lastPart(period: string): Promise<number> {
    await mkdir(this.#options.path, { recursive: true });
    return this.#folder.lastPart(period);
  }

  async #openFile(path: string): Promise<FileHandle> {
    const { openFile = open } = this.#options;
    try {
      return await openFile(path, flags, 0o640);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await mkdir(dirname(path), { recursive: true });
      return openFile(path, flags, 0o640);
    }
  }
}

/** As many whole lines as fit, at least one. */
function fitting(bytes: Buffer, room: number): Buffer {
  if (bytes.length <= room) return bytes;
  const newline = bytes.lastIndexOf('\n', room - 1);
  const end = newline === -1 ? bytes.indexOf('\n') : newline;
  return end === -1 ? bytes : bytes.subarray(0, end + 1);
}
