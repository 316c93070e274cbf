// Used request tokens on disk, so that a token cannot be replayed after a crash.
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../../base/atomic-file.ts';
import { type Condition, condition } from '../../base/condition.ts';
import { codeOf, messageOf } from '../../base/errors.ts';
import type { SyncDirectory } from '../../base/sync-directory.ts';
import { settlesWithin } from '../../base/timeout.ts';
import { type Take, TokenMemory, type TokenMemoryOptions, type UsedTokens } from './used-tokens.ts';

export interface UsedTokensFileOptions extends TokenMemoryOptions {
  /** Absolute. Created if missing, with its directory. */
  readonly file: string;
  /** How long a command waits for the disk. */
  readonly writeTimeoutMs: number;
  /** Delay before a failed write is retried. */
  readonly retryMs: number;
  readonly syncDirectory: SyncDirectory;
}

/**
 * One line per token, `expiresAtMs key`, and one for forgotten tokens. Other lines, such as a torn last one, were never
 * confirmed.
 */
const linePattern = /^(\d{1,16}) ([\w-]{43}|forgotten)$/;
const forgottenLine = (upToMs: number): string => (upToMs > 0 ? `${upToMs} forgotten\n` : '');
const lineOf = ([key, expiresAtMs]: readonly [string, number]): string => `${expiresAtMs} ${key}\n`;

/** The file is rewritten when it has this many lines more than twice the remembered tokens. */
const deadLinesAllowed = 1000;

/** Reads the file and rewrites it without torn and duplicate lines. Never rejects: an error becomes a condition. */
export async function openUsedTokens(options: UsedTokensFileOptions): Promise<UsedTokens> {
  const memory = new TokenMemory(options);
  const file = new UsedTokensFile(memory, options);
  // Only at start: a directory removed later is a condition, which must not be hidden.
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
  /** Null: the content of the file is unknown, so it is rewritten. */
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

  /** Resolves when the token is on disk. If the write fails, memory alone is used: no command is refused for that. */
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

  /** One write at a time; tokens queued during it are written together next. */
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
      // If appending fails, a rewrite may still succeed: the directory may have been replaced.
      const appended = known === null || isLong ? null : await this.#append(taken, known.bytes).catch(() => null);
      this.#known = appended === null ? await this.#rewrite() : { bytes: appended, lines };
      this.#writeFailure = null;
    } catch (error) {
      this.#writeFailure = `The used request tokens could not be written: ${messageOf(error)}`;
      this.#retry = setTimeout(() => void this.#flush(), this.#options.retryMs).unref();
    }
  }

  /** @returns the new length of the file; null: another file is in its place */
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

  async #rewrite(): Promise<{ bytes: number; lines: number }> {
    const { file, syncDirectory } = this.#options;
    const entries = this.#memory.entries();
    const data = Buffer.from(forgottenLine(this.#memory.forgottenUpToMs) + entries.map(lineOf).join(''));
    await writeFileAtomically(file, data, { syncDirectory });
    return { bytes: data.length, lines: entries.length };
  }

  /** Waits for a write, up to the timeout. */
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
