// The names of log files: one for each period, several if one grows too large; old files are compressed, the oldest removed.
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { LogFrequency } from '../config/keys.ts';

export interface LogFolderOptions {
  /** Absolute; need not exist. */
  readonly path: string;
  /** Prefix of the file names. */
  readonly name: string;
  readonly frequency: LogFrequency;
  /** How many files are kept, including the current one. */
  readonly maxFiles: number;
  /** Whether old files are compressed. */
  readonly archive: boolean;
}

interface Listed {
  readonly file: string;
  readonly period: string;
  /** Of the same period: 0, 1, … */
  readonly part: number;
  readonly isPacked: boolean;
}

const periodLengths: Readonly<Record<LogFrequency, number>> = { yearly: 4, monthly: 7, daily: 10, hourly: 13 };

/** `2026-11-23` or a prefix of it, depending on the frequency, in local time. */
export function periodOf(at: Date, frequency: LogFrequency): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const words = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate()), two(at.getHours())];
  return words.join('-').slice(0, periodLengths[frequency]);
}

export class LogFolder {
  readonly #options: LogFolderOptions;
  readonly #name: string;
  readonly #pattern: RegExp;

  constructor(options: LogFolderOptions) {
    this.#options = options;
    this.#name = options.name.replace(/[^\w.-]/g, '_');
    const literally = this.#name.replaceAll('.', '\\.');
    this.#pattern = new RegExp(`^${literally}-(\\d{4}(?:-\\d\\d){0,3})(?:\\.(\\d+))?\\.log(\\.gz)?$`);
  }

  pathOf(period: string, part: number): string {
    return join(this.#options.path, `${this.#name}-${period}${part === 0 ? '' : `.${part}`}.log`);
  }

  /** The part of this period that a newly started node appends to. */
  async lastPart(period: string): Promise<number> {
    const parts = (await this.#list()).filter((one) => one.period === period);
    const last = parts.at(-1);
    if (last === undefined) return 0;
    return last.isPacked ? last.part + 1 : last.part;
  }

  /** Compresses old files and removes the oldest beyond `maxFiles`. */
  async tidy(current: string): Promise<void> {
    const { path, archive, maxFiles } = this.#options;
    const older = (await this.#list()).map(({ file, isPacked }) => ({ path: join(path, file), isPacked }));
    const kept = older.filter((one) => one.path !== current);
    while (kept.length > maxFiles - 1) await rm(kept.shift()?.path ?? '', { force: true });
    if (archive) for (const one of kept) if (!one.isPacked) await pack(one.path);
  }

  /** From the oldest to the newest; foreign files are ignored. */
  async #list(): Promise<Listed[]> {
    const files = await readdir(this.#options.path);
    const listed = files.flatMap((file): Listed[] => {
      const [, period, part = '0', packed] = this.#pattern.exec(file) ?? [];
      return period === undefined ? [] : [{ file, period, part: Number(part), isPacked: packed !== undefined }];
    });
    return listed.sort((a, b) => (a.period === b.period ? a.part - b.part : a.period < b.period ? -1 : 1));
  }
}

/** Writes to a temporary name first: a node that exits during compression leaves no partial archive. */
async function pack(file: string): Promise<void> {
  const unfinished = `${file}.gz.part`;
  await pipeline(createReadStream(file), createGzip(), createWriteStream(unfinished, { mode: 0o640 }));
  await rename(unfinished, `${file}.gz`);
  await rm(file, { force: true });
}
