// Used request tokens kept on disk, so that one used before a crash is still used up after it.
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../../base/atomic-file.ts';
import { type Condition, condition } from '../../base/condition.ts';
import { codeOf, messageOf } from '../../base/errors.ts';
import type { SyncDirectory } from '../../base/sync-directory.ts';
import { settlesWithin } from '../../base/timeout.ts';
import { type Take, TokenMemory, type TokenMemoryOptions, type UsedTokens } from './used-tokens.ts';

export interface UsedTokensFileOptions extends TokenMemoryOptions {
  /** Absolute. Made where it is not there, its directory too. */
  readonly file: string;
  /** How long a command waits for the disk before it goes on without. */
  readonly writeTimeoutMs: number;
  /** Pause before what could not be written is tried again. */
  readonly retryMs: number;
  readonly syncDirectory: SyncDirectory;
}

/**
 * One line a token, `expiresAtMs key`, and one for those that were forgotten. What does not look so, such as a torn last
 * line, was never confirmed.
 */
const linePattern = /^(\d{1,16}) ([\w-]{43}|forgotten)$/;
const forgottenLine = (upToMs: number): string => (upToMs > 0 ? `${upToMs} forgotten\n` : '');
const lineOf = ([key, expiresAtMs]: readonly [string, number]): string => `${expiresAtMs} ${key}\n`;

/** The file is written anew when it has this many lines more than twice what is still remembered. */
const deadLinesAllowed = 1000;

/** Reads what is there, and writes it anew without what is torn or twice there. Never rejects: what goes wrong is a condition. */
export async function openUsedTokens(options: UsedTokensFileOptions): Promise<UsedTokens> {
  const memory = new TokenMemory(options);
  const file = new UsedTokensFile(memory, options);
  // At start alone: a directory that goes later is a condition of the disk, which this file must not hide from others.
  await mkdir(dirname(options.file), { recursive: true, mode: 0o700 }).catch(() => {});
  await file.load();
  return file;
}

class UsedTokensFile implements UsedTokens {
  readonly #memory: TokenMemory;
  readonly #options: UsedTokensFileOptions;
  /** Taken, but not written yet. */
  #queue: [string, number][] = [];
  #underWay: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  /** Null: what the file holds is not known, so that it is written anew. */
  #known: { readonly bytes: number; readonly lines: number } | null = null;
  #writeFailure: string | null = null;
  #stuck = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(memory: TokenMemory, options: UsedTokensFileOptions) {
    this.#memory = memory;
    this.#options = options;
  }

  async load(): Promise<void> {
    try {
      const text = await readFile(this.#options.file, 'latin1');
      for (const line of text.split('\n')) {
        const [, expiresAtMs, key] = linePattern.exec(line) ?? [];
        if (key === 'forgotten') this.#memory.noteForgotten(Number(expiresAtMs));
        else if (key !== undefined) this.#memory.restore(key, Number(expiresAtMs));
      }
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') this.#writeFailure = messageOf(error);
    }
    await this.#settlesWithin(this.#flush());
  }

  /** Resolves when the token is on disk. Where the disk does not take it, memory alone has to do: no command is refused for that. */
  async take(key: string, expiresAtMs: number): Promise<Take> {
    const take = this.#memory.take(key, expiresAtMs);
    if (take !== 'taken') return take;
    this.#queue.push([key, expiresAtMs]);
    const written = this.#flush();
    if (!this.#stuck) await this.#settlesWithin(written);
    return take;
  }

  get conditions(): readonly Condition[] {
    if (this.#writeFailure === null) return [];
    const message = `${this.#writeFailure}. Request tokens used since then could be used again after a restart.`;
    return [condition('UsedTokensNotSaved', 'WriteFailed', message)];
  }

  async close(): Promise<void> {
    await this.#settlesWithin(this.#next ?? this.#underWay);
    clearTimeout(this.#retry);
  }

  /** One write at a time; whatever is queued while it is under way goes into the next one together. */
  #flush(): Promise<void> {
    this.#next ??= this.#underWay.then(() => {
      this.#next = null;
      return this.#write(this.#queue.splice(0));
    });
    this.#underWay = this.#next;
    return this.#next;
  }

  async #write(taken: [string, number][]): Promise<void> {
    clearTimeout(this.#retry);
    try {
      const known = this.#known;
      this.#known = null;
      const lines = (known?.lines ?? 0) + taken.length;
      const isLong = lines > 2 * this.#memory.size + deadLinesAllowed;
      // Where appending fails, all that is known may still be written to a new file: the directory may have been made anew.
      const appended = known === null || isLong ? null : await this.#append(taken, known.bytes).catch(() => null);
      this.#known = appended === null ? await this.#writeAnew() : { bytes: appended, lines };
      this.#writeFailure = null;
    } catch (error) {
      this.#writeFailure = `The used request tokens could not be written: ${messageOf(error)}`;
      this.#retry = setTimeout(() => void this.#flush(), this.#options.retryMs).unref();
    }
  }

  /** @returns the file's length afterwards; null: it is not the file that was written last */
  async #append(taken: [string, number][], expectedBytes: number): Promise<number | null> {
    const data = Buffer.from(taken.map(lineOf).join(''));
    const handle = await open(this.#options.file, 'a', 0o600);
    try {
      if ((await handle.stat()).size !== expectedBytes) return null;
      await handle.writeFile(data);
      await handle.datasync();
      return expectedBytes + data.length;
    } finally {
      await handle.close();
    }
  }

  async #writeAnew(): Promise<{ bytes: number; lines: number }> {
    const { file, syncDirectory } = this.#options;
    const entries = this.#memory.entries();
    const data = Buffer.from(forgottenLine(this.#memory.forgottenUpToMs) + entries.map(lineOf).join(''));
    await writeFileAtomically(file, data, { syncDirectory });
    return { bytes: data.length, lines: entries.length };
  }

  /** Waits for a write, but not for ever. */
  async #settlesWithin(written: Promise<void>): Promise<void> {
    const { writeTimeoutMs } = this.#options;
    const done = written.then(() => {
      this.#stuck = false;
    });
    if (await settlesWithin(done, writeTimeoutMs)) return;
    this.#stuck = true;
    this.#writeFailure = `The used request tokens were not written within ${writeTimeoutMs} ms`;
  }
}
