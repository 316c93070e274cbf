// Types and hashes of files, saved on disk so that a restart does not read all files again.
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sameFacts } from '../../../machines/answer.ts';
import { writeFileAtomically } from '../../base/atomic-file.ts';
import { codeOf } from '../../base/errors.ts';
import type { FoundFile } from './object-file.ts';
import { nothingYet, type WorkedOut } from './object-record.ts';

/** Version 1 had no ctime: its hashes may be of bytes that were overwritten since. */
const version = 2;

/** An array to save memory with very many files: size, mtimeMs, ctimeMs, ino, type, hash. */
type Row = readonly [number, number, number, number, string | null, string | null];

/** Losing the file costs only time: a torn, foreign or unreadable file counts as empty. */
export class RememberedFiles {
  readonly #file: string;
  #rows = new Map<string, Row>();
  #changed = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** @throws {Error} if the file exists but cannot be used; the record then stays empty */
  load(): void {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
    const stored: unknown = JSON.parse(text);
    if (!isStored(stored)) throw new Error(`${this.#file} is not of version ${version}`);
    this.#rows = new Map(Object.entries(stored.files).filter((entry): entry is [string, Row] => isRow(entry[1])));
  }

  recall({ path, ...facts }: FoundFile): WorkedOut {
    const row = this.#rows.get(path);
    if (!row) return nothingYet;
    const [size, mtimeMs, ctimeMs, ino, type, hash] = row;
    return sameFacts({ size, mtimeMs, ctimeMs, ino }, facts) ? { type, hash, unreadable: null } : nothingYet;
  }

  remember({ path, size, mtimeMs, ctimeMs, ino }: FoundFile, { type, hash }: WorkedOut): void {
    this.#rows.set(path, [size, mtimeMs, ctimeMs, ino, type, hash]);
    this.#changed = true;
  }

  /** Keeps what `isWanted` and writes it, if anything is new. Rejects with system errors; the old file is then left as it was. */
  save(isWanted: (path: string) => boolean): Promise<void> {
    const turn = this.#saving.then(() => this.#write(isWanted));
    this.#saving = turn.catch(() => {});
    return turn;
  }

  async #write(isWanted: (path: string) => boolean): Promise<void> {
    if (!this.#changed) return;
    for (const path of this.#rows.keys()) if (!isWanted(path)) this.#rows.delete(path);
    const text = JSON.stringify({ version, files: Object.fromEntries(this.#rows) });
    this.#changed = false;
    try {
      await mkdir(dirname(this.#file), { recursive: true });
      await writeFileAtomically(this.#file, text);
    } catch (error) {
      this.#changed = true;
      throw error;
    }
  }
}

function isStored(value: unknown): value is { readonly files: Readonly<Record<string, unknown>> } {
  if (typeof value !== 'object' || value === null || !('version' in value) || !('files' in value)) return false;
  return value.version === version && typeof value.files === 'object' && value.files !== null;
}

function isRow(value: unknown): value is Row {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [size, mtimeMs, ctimeMs, ino, type, hash] = value;
  return (
    [size, mtimeMs, ctimeMs, ino].every(Number.isFinite) &&
    [type, hash].every((it) => it === null || typeof it === 'string')
  );
}
