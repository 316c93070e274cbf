// Imports each version of a catalogue once; a failure is a condition, and the previous version is kept.
import { basename } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Condition, ReasonOf } from '../../base/condition.ts';
import type { HashFile } from '../../base/content-hash.ts';
import { codeOf, messageOf } from '../../base/errors.ts';
import type { CatalogueSetup } from '../../ipc/content-messages.ts';
import type { IndexWriter } from '../../store/object-index.ts';
import { catalogueCondition } from './catalogue-conditions.ts';
import { CatalogueFile } from './catalogue-file.ts';
import { importCatalogue } from './catalogue-import.ts';
import { hashedMark, type ReadMark, readMark, readMarkOf } from './catalogue-marks.ts';
import { type FileWatch, watchFile } from './file-watch.ts';
import { workOutSome } from './file-work.ts';
import { type IndexWrites, NotWritten } from './index-writes.ts';
import { Slices } from './slices.ts';

export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

export interface ReaderPorts {
  readonly setup: CatalogueSetup;
  readonly index: IndexWriter;
  readonly writes: IndexWrites;
  readonly hashFile: HashFile;
  readonly log: Log;
  /** Delay before an import that could not be written is retried; doubled each time. */
  readonly retryMs: number;
  /** True: an import copies rows, and nothing else may write to the index. */
  readonly hold: (isHeld: boolean) => void;
  /** A version is in the index. @param filesToHash null: it was already there at the start */
  readonly onRead: (filesToHash: number | null) => void;
  /** Condition or progress have changed. */
  readonly onChange: () => void;
}

/** How long types and hashes are determined before a version is published: a small catalogue is complete at once. */
const firstWorkMs = 100;
const maxRetryMs = 300_000;

export class CatalogueReader {
  readonly #ports: ReaderPorts;
  readonly #abort = new AbortController();
  #watch: FileWatch | null = null;
  #loading: Promise<void> = Promise.resolve();
  #condition: Condition | null = null;
  #objectsRead: number | null = null;
  #retry: NodeJS.Timeout | null = null;
  #retryMs: number;
  /** Loads in progress or waiting. */
  #loads = 0;

  constructor(ports: ReaderPorts) {
    this.#ports = ports;
    this.#retryMs = ports.retryMs;
  }

  start(): void {
    const { file, checkEveryMs } = this.#ports.setup;
    if (readMarkOf(this.#ports.index) !== undefined) this.#ports.onRead(null);
    this.#watch = watchFile(file, checkEveryMs, () => this.#load());
    this.#load();
  }

  /** Resolves when all writes have ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#watch?.stop();
    if (this.#retry) clearTimeout(this.#retry);
    await this.#loading;
  }

  get condition(): Condition | null {
    return this.#condition;
  }

  /** True also while checking whether there is anything new. */
  get isReading(): boolean {
    return this.#loads > 0;
  }

  /** Null: no import is in progress. */
  get objectsRead(): number | null {
    return this.#objectsRead;
  }

  /** Loads run one after another: the file may change again during a load. */
  #load(): void {
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#loads += 1;
    this.#loading = this.#loading.then(async () => {
      await this.#loadNow();
      this.#loads -= 1;
      this.#ports.onChange();
      await this.#tidy();
    });
  }

  async #loadNow(): Promise<void> {
    const { setup } = this.#ports;
    if (this.#abort.signal.aborted) return;
    try {
      const file = await CatalogueFile.open(setup.file, setup.maxYamlBytes);
      try {
        await this.#take(file);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (error instanceof NotWritten) this.#retryLater(error);
      else this.#refuse(codeOf(error) === 'ENOENT' ? 'Missing' : 'Unreadable', [this.#error(messageOf(error))]);
    }
  }

  #error = (message: string): string => `${basename(this.#ports.setup.file)}: ${message}`;

  async #take(file: CatalogueFile): Promise<void> {
    const { writes } = this.#ports;
    if (!(await this.#isKnown(file)) && !(await this.#import(file))) return;
    writes.succeeded('version');
    this.#retryMs = this.#ports.retryMs;
    this.#condition = null;
    this.#ports.onChange();
  }

  /** Whether the index contains this version. The same bytes are the same version, even if the file was touched or replaced. */
  async #isKnown(file: CatalogueFile): Promise<boolean> {
    const { index, writes } = this.#ports;
    const known = readMarkOf(index);
    if (known === undefined || known.root !== file.root) return false;
    if (isDeepStrictEqual(known.facts, file.facts)) return true;
    if (known.facts.size !== file.facts.size || known.contentHash !== (await file.contentHash())) return false;
    if (!(await file.isUnchanged())) return false;
    const mark: ReadMark = { ...known, facts: file.facts };
    writes.attempt('version', () => index.transact((tx) => tx.putMark(readMark, mark)));
    return true;
  }

  /** @returns whether the version has been published */
  async #import(file: CatalogueFile): Promise<boolean> {
    const { setup, index, writes, hashFile, log, hold, onChange, onRead } = this.#ports;
    const { signal } = this.#abort;
    let firstWork: AbortSignal | null = null;
    hold(true);
    this.#objectsRead = 0;
    try {
      const imported = await importCatalogue(file, basename(setup.file), {
        index,
        writes,
        workOut: (rows) => {
          firstWork ??= AbortSignal.any([signal, AbortSignal.timeout(firstWorkMs)]);
          return workOutSome(rows, hashFile, { signal: firstWork });
        },
        onProgress: (objects) => {
          this.#objectsRead = objects;
          onChange();
        },
        signal,
      });
      const isUnchanged = await file.isUnchanged();
      signal.throwIfAborted();
      if (!isUnchanged) {
        this.#refuse('Unreadable', [this.#error('changed while it was read')]);
        return false;
      }
      if (imported.result === 'refused') {
        this.#refuse('Invalid', imported.errors);
        return false;
      }
      const { version, objects, filesToHash, contentHash } = imported;
      const mark: ReadMark = { root: file.root, facts: file.facts, contentHash, readAt: new Date().toISOString() };
      writes.attempt('version', () =>
        version.publish((tx) => {
          tx.putMark(readMark, mark);
          tx.putMark(hashedMark, filesToHash === 0 ? true : undefined);
          tx.setRead(mark.readAt);
        }),
      );
      log.info(`The catalogue has been read: ${objects} objects`);
      onRead(filesToHash);
      return true;
    } finally {
      this.#objectsRead = null;
      hold(false);
    }
  }

  /** Keeps the previous version, if any. An unreadable file is retried; a repeated reason is logged once. */
  #refuse(reason: ReasonOf<'CatalogueInvalid'>, errors: readonly string[]): void {
    if (reason === 'Unreadable') this.#watch?.again();
    const before = this.#condition?.message;
    this.#condition = catalogueCondition(reason, errors);
    if (this.#condition.message !== before) this.#ports.log.warn(`The catalogue is rejected: ${errors.join('; ')}`);
    this.#ports.onChange();
  }

  #retryLater(error: NotWritten): void {
    this.#ports.log.warn(`The catalogue cannot be written to the index: ${error.message}`);
    this.#retry = setTimeout(() => this.#load(), this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, maxRetryMs);
  }

  /** Removes what remains of old versions, in slices. A failed removal is left for the next time. */
  async #tidy(): Promise<void> {
    const { index, writes } = this.#ports;
    const slices = new Slices();
    try {
      while (!this.#abort.signal.aborted && writes.attempt('version', () => index.tidy())) await slices.next();
    } catch (error) {
      if (!(error instanceof NotWritten)) throw error;
    }
  }
}
