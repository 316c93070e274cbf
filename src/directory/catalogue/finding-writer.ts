// Collects the results of reading files, and writes them to the index in batches.
import { isDeepStrictEqual } from 'node:util';
import type { IndexTransaction, IndexWriter } from '../../store/object-index.ts';
import { type IndexWrites, NotWritten } from './index-writes.ts';
import type { FoundFile } from './object-file.ts';
import { type Finding, isCatalogueRow, isOf, withFinding } from './object-row.ts';

export interface FoundOut {
  readonly id: string;
  /** The version of the file that was read. */
  readonly found: FoundFile;
  readonly finding: Finding;
}

const atMost = 500;
const gatherMs = 200;

export class FindingWriter {
  readonly #index: IndexWriter;
  readonly #writes: IndexWrites;
  readonly #retryMs: number;
  readonly #onWritten: () => void;
  #pending: FoundOut[] = [];
  #timer: NodeJS.Timeout | null = null;
  #isHeld = false;

  /** @param onWritten rows have changed */
  constructor(index: IndexWriter, writes: IndexWrites, retryMs: number, onWritten: () => void) {
    this.#index = index;
    this.#writes = writes;
    this.#retryMs = retryMs;
    this.#onWritten = onWritten;
  }

  /** To be called only while `hasRoom`. */
  add(found: FoundOut): void {
    this.#pending.push(found);
    this.#timer ??= setTimeout(() => this.flush(), gatherMs);
  }

  /** False: results cannot be written now. */
  get hasRoom(): boolean {
    if (this.#pending.length >= atMost) this.flush();
    return this.#pending.length < atMost;
  }

  /** Writes nothing while an import copies rows of this version. */
  hold(isHeld: boolean): void {
    if (isHeld) this.flush();
    this.#isHeld = isHeld;
    if (!isHeld) this.flush();
  }

  /** @returns whether everything is written */
  flush(): boolean {
    if (this.#pending.length === 0) return true;
    if (this.#isHeld) return false;
    this.#stopTimer();
    const pending = this.#pending;
    try {
      this.#writes.attempt('files', () =>
        this.#index.transact((tx) => {
          for (const each of pending) write(tx, each);
        }),
      );
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
      this.#timer = setTimeout(() => this.flush(), this.#retryMs);
      return false;
    }
    this.#writes.succeeded('files');
    this.#pending = [];
    this.#onWritten();
    return true;
  }

  /** Writes as much as possible. */
  stop(): void {
    this.#isHeld = false;
    this.flush();
    this.#stopTimer();
  }

  #stopTimer(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function write(tx: IndexTransaction, { id, found, finding }: FoundOut): void {
  const row = tx.object(id);
  // The file may have changed since; its new version is read separately.
  if (!isCatalogueRow(row) || !isOf(row.file, found)) return;
  const next = withFinding(row, finding);
  if (!isDeepStrictEqual(next, row)) tx.putObject(id, next);
}
