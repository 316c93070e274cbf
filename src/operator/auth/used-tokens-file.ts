// Used request tokens on disk, so that a token cannot be replayed after a crash.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appendLines } from '../../base/append-lines.ts';
import { AppendQueue } from '../../base/append-queue.ts';
import { writeFileAtomically } from '../../base/atomic-file.ts';
import { type Condition, condition } from '../../base/condition.ts';
import type { SyncDirectory } from '../../base/sync-directory.ts';
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
  readonly #queue: AppendQueue;
  /** Null: the content of the file is unknown, so it is rewritten. */
  #known: { readonly bytes: number; readonly lines: number } | null = null;

  constructor(memory: TokenMemory, options: UsedTokensFileOptions) {
    this.#memory = memory;
    this.#options = options;
    const { writeTimeoutMs, retryMs } = options;
    this.#queue = new AppendQueue({ append: (lines, lost) => this.#write(lines, lost), writeTimeoutMs, retryMs });
  }

  async load(): Promise<void> {
    // A file that cannot be read is replaced; if that fails too, the failed write becomes a condition.
    const text = await readFile(this.#options.file, 'latin1').catch(() => '');
    for (const line of text.split('\n')) {
      const [, expiresAtMs, key] = linePattern.exec(line) ?? [];
      if (key === 'forgotten') this.#memory.noteForgotten(Number(expiresAtMs));
      else if (key !== undefined) this.#memory.restore(key, Number(expiresAtMs));
    }
    await this.#queue.flush();
  }

  /** Resolves when the token is on disk. If the write fails, memory alone is used: no command is refused for that. */
  async take(key: string, expiresAtMs: number): Promise<Take> {
    const take = this.#memory.take(key, expiresAtMs);
    if (take === 'taken') await this.#queue.add(lineOf([key, expiresAtMs]));
    return take;
  }

  get conditions(): readonly Condition[] {
    const { failure } = this.#queue;
    if (failure === null) return [];
    const message = `The used request tokens could not be written: ${failure}. Request tokens used since then could be used again after a restart.`;
    return [condition('UsedTokensNotSaved', 'WriteFailed', message)];
  }

  close(): Promise<void> {
    return this.#queue.close();
  }

  /** @param dropped tokens that only a rewrite writes */
  async #write(taken: readonly string[], dropped: number): Promise<void> {
    const { file } = this.#options;
    const known = this.#known;
    this.#known = null;
    const lines = (known?.lines ?? 0) + taken.length;
    const isLong = lines > 2 * this.#memory.size + deadLinesAllowed;
    // If appending fails, a rewrite may still succeed: the directory may have been replaced.
    const bytes =
      known === null || isLong || dropped > 0
        ? null
        : await appendLines(file, taken, { accepts: (size) => size === known.bytes, isSynced: true }).catch(() => null);
    this.#known = bytes === null ? await this.#rewrite() : { bytes, lines };
  }

  async #rewrite(): Promise<{ bytes: number; lines: number }> {
    const { file, syncDirectory } = this.#options;
    const entries = this.#memory.entries();
    const data = Buffer.from(forgottenLine(this.#memory.forgottenUpToMs) + entries.map(lineOf).join(''));
    await writeFileAtomically(file, data, { syncDirectory });
    return { bytes: data.length, lines: entries.length };
  }
}
