// Reads the files of a catalogue in the background, one at a time: bad copies first, then all types, then all hashes.
import { setTimeout as sleep } from 'node:timers/promises';
import type { HashFile, HashOptions } from '../../base/content-hash.ts';
import { typeOfFile } from '../../base/media-type.ts';
import type { IndexWriter } from '../../store/object-index.ts';
import { hashOf } from './file-work.ts';
import type { FindingWriter } from './finding-writer.ts';
import { type CatalogueRow, hasNoType, isCatalogueRow, lacksHash, lacksType } from './object-row.ts';
import { Slices, sliceMs } from './slices.ts';

export interface HashQueuePorts {
  readonly index: IndexWriter;
  readonly hashFile: HashFile;
  readonly pace: HashOptions['pace'];
  readonly findings: FindingWriter;
  readonly retryMs: number;
  /** A pass through the index has ended, and no file is left to read. */
  readonly onDone: () => void;
  readonly onProgress: () => void;
}

/** Limit on remembered ids of bad copies and of changed files; more changed files cause another pass through the index. */
const maxIds = 1000;
/** Ids read from the index at a time. */
const idsAtOnce = 200;

type Job = { readonly id: string; readonly work: 'type' | 'hash' | 'again' };

/** Uses bounded memory: a pass through the index finds the remaining work. */
export class HashQueue {
  readonly #ports: HashQueuePorts;
  readonly #badCopies = new Set<string>();
  readonly #changed = new Set<string>();
  readonly #abort = new AbortController();
  #phase: 'types' | 'hashes' | 'done' = 'done';
  /** The last id visited in this phase. */
  #after = '';
  #found: string[] = [];
  #needsPass = false;
  #isPaused = false;
  #isResting = false;
  #wake = (): void => {};
  #running: Promise<void> | null = null;
  #toHash = 0;
  #counted = 0;

  constructor(ports: HashQueuePorts) {
    this.#ports = ports;
  }

  /** Approximate: counted during a pass. */
  get filesToHash(): number {
    const inPass = this.#phase === 'types' ? Math.max(this.#toHash, this.#counted) : this.#toHash;
    return inPass + this.#badCopies.size + this.#changed.size;
  }

  /** Whether files are being read or may still need to be. */
  get isBusy(): boolean {
    return this.#hasWork || (this.#running !== null && !this.#isResting);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Begins a pass through the whole index. @param filesToHash null: not known */
  pass(filesToHash: number | null): void {
    this.#phase = 'types';
    this.#after = '';
    this.#found = [];
    this.#counted = 0;
    this.#toHash = filesToHash ?? 0;
    this.#needsPass = false;
    this.#wake();
  }

  /** The file of this object has changed, or could not be read before. */
  addChanged(objectId: string): void {
    if (this.#changed.size < maxIds) this.#changed.add(objectId);
    else this.#needsPass = true;
    this.#wake();
  }

  /** Reads the file again even if its hash is known. Beyond the limit, ids are dropped: the next request reports them again. */
  addBadCopy(objectId: string): void {
    if (this.#badCopies.size < maxIds) this.#badCopies.add(objectId);
    this.#wake();
  }

  /** Finishes the file in progress. */
  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake();
    await this.#running;
  }

  get #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  async #run(): Promise<void> {
    const slices = new Slices();
    while (!this.#isStopped) {
      if (slices.isOver) await slices.next();
      if (this.#isPaused) await this.#woken();
      else if (!this.#ports.findings.hasRoom) await this.#pause();
      else {
        const job = this.#next();
        if (job === 'none') await this.#rest();
        else if (job !== 'looking') await this.#do(job);
        this.#ports.onProgress();
      }
    }
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  async #pause(): Promise<void> {
    const { signal } = this.#abort;
    await sleep(this.#ports.retryMs, undefined, { signal }).catch(() => {});
  }

  /** Nothing is left to do. */
  async #rest(): Promise<void> {
    if (!this.#ports.findings.flush()) return this.#pause();
    if (this.#needsPass) return this.pass(null);
    this.#ports.onDone();
    if (this.#hasWork || this.#isStopped) return;
    this.#isResting = true;
    this.#ports.onProgress();
    await this.#woken();
    this.#isResting = false;
  }

  get #hasWork(): boolean {
    return this.#phase !== 'done' || this.#needsPass || this.#badCopies.size + this.#changed.size > 0;
  }

  /** `looking`: the slice is used up; call again. */
  #next(): Job | 'looking' | 'none' {
    const bad = takeFrom(this.#badCopies);
    if (bad !== undefined) return { id: bad, work: 'again' };
    if (this.#phase !== 'types') {
      const changed = takeFrom(this.#changed);
      if (changed !== undefined) return { id: changed, work: 'again' };
    }
    if (this.#phase === 'done') return 'none';
    const id = this.#found.shift();
    if (id !== undefined) return { id, work: this.#phase === 'types' ? 'type' : 'hash' };
    this.#look();
    return 'looking';
  }

  /** Visits the next rows for one slice, or ends the phase. No iteration outlives the slice. */
  #look(): void {
    const { index } = this.#ports;
    const lacks = this.#phase === 'types' ? lacksType : lacksHash;
    const endsAt = performance.now() + sliceMs;
    index.refresh();
    for (const id of index.objectIds(this.#after)) {
      this.#after = id;
      const row = index.object(id);
      if (isCatalogueRow(row)) {
        if (this.#phase === 'types' && lacksHash(row)) this.#counted += 1;
        if (lacks(row)) this.#found.push(id);
      }
      if (this.#found.length >= idsAtOnce || performance.now() >= endsAt) return;
    }
    if (this.#found.length > 0) return;
    this.#after = '';
    if (this.#phase === 'types') this.#toHash = this.#counted;
    this.#phase = this.#phase === 'types' && this.#counted > 0 ? 'hashes' : 'done';
    if (this.#phase === 'done') this.#toHash = 0;
  }

  async #do({ id, work }: Job): Promise<void> {
    const { index } = this.#ports;
    index.refresh();
    const row = index.object(id);
    if (isCatalogueRow(row)) {
      if (work === 'type' ? lacksType(row) : work === 'again' && hasNoType(row)) await this.#type(id, row);
      if (work === 'again' || (work === 'hash' && lacksHash(row))) await this.#hash(id, row);
    }
    if (work === 'hash') this.#toHash = Math.max(0, this.#toHash - 1);
  }

  async #type(id: string, { file: { found } }: CatalogueRow): Promise<void> {
    if (found === null) return;
    const type = await typeOfFile(found.path);
    this.#ports.findings.add({ id, found, finding: { type } });
  }

  async #hash(id: string, { file: { found } }: CatalogueRow): Promise<void> {
    if (found === null) return;
    const { hashFile, pace, findings } = this.#ports;
    const { signal } = this.#abort;
    try {
      const finding = await hashOf(found, hashFile, { pace, signal });
      // Null: the file scan will find the new version.
      if (finding !== null) findings.add({ id, found, finding });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

function takeFrom(ids: Set<string>): string | undefined {
  const [id] = ids;
  if (id !== undefined) ids.delete(id);
  return id;
}
