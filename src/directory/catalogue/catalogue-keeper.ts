// Keeps a catalogue's objects up to date: reads the catalogue, queues files for hashing, and watches for changes.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { DataObject } from '../../../machines/answer.ts';
import type { Condition } from '../../base/condition.ts';
import { messageOf } from '../../base/errors.ts';
import type { DirectorySnapshot } from '../../ipc/messages.ts';
import { CatalogueConditions } from './catalogue-conditions.ts';
import { type CatalogueLoad, loadCatalogue } from './catalogue-file.ts';
import type { CatalogueThreadData } from './catalogue-messages.ts';
import type { Catalogue, StatedObject } from './catalogue-schema.ts';
import type { HashFile } from './content-hash.ts';
import { type FileWatch, watchFile } from './file-watch.ts';
import { HashQueue } from './hash-queue.ts';
import { type FoundFile, type Located, locateFile, sameLocated } from './object-file.ts';
import { dataObject, lacksSomething, nothingYet, type ObjectRecord, type WorkedOut } from './object-record.ts';
import { RememberedFiles } from './remembered-hashes.ts';

/** What the keeper reports. Ids stand for the objects that `objectOf` returns. */
export interface KeeperPorts {
  /** A new directory follows: unsent updates of the old one are obsolete. */
  readonly hold: () => void;
  readonly replaced: (objectIds: readonly string[], bucketWorkers: DirectorySnapshot['bucketWorkers']) => void;
  readonly updated: (objectId: string) => void;
  readonly conditions: (conditions: readonly Condition[]) => void;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

/** Longest delay of a new directory, so that a small one is published with its types and hashes. */
const firstWorkMs = 100;
/** How many files are checked for changes per round; more objects take several rounds. */
const looksPerRound = 500;
const saveEveryMs = 30_000;
/** Condition changes are collected for this long. */
const gatherMs = 200;

export class CatalogueKeeper {
  readonly #data: CatalogueThreadData;
  readonly #ports: KeeperPorts;
  readonly #hashQueue: HashQueue;
  readonly #files: RememberedFiles;
  readonly #conditions = new CatalogueConditions();
  readonly #records = new Map<string, ObjectRecord>();
  #ids: readonly string[] = [];
  #root = '';
  #state: 'new' | 'holding' | 'published' | 'stopped' = 'new';
  #loading: Promise<void> = Promise.resolve();
  #cursor = 0;
  #watch: FileWatch | null = null;
  #timers: NodeJS.Timeout[] = [];
  #conditionsTimer: NodeJS.Timeout | null = null;
  #saveFails = false;

  constructor(data: CatalogueThreadData, hashFile: HashFile, ports: KeeperPorts) {
    this.#data = data;
    this.#ports = ports;
    this.#files = new RememberedFiles(join(data.stateDirectory, 'hashes.json'));
    this.#hashQueue = new HashQueue({
      hashFile,
      recordOf: (id) => this.#records.get(id),
      found: (id, file, workedOut) => this.#found(id, file, workedOut),
      idle: () => void this.#save(),
    });
  }

  objectOf(objectId: string): DataObject | undefined {
    const record = this.#records.get(objectId);
    return record && dataObject(record);
  }

  /** Resolves when the first directory has been published, even an empty one. */
  start(): Promise<void> {
    const { file, checkEveryMs } = this.#data;
    try {
      this.#files.load();
    } catch (error) {
      this.#ports.log('warn', `The saved file hashes cannot be used; files are hashed again: ${messageOf(error)}`);
    }
    this.#watch = watchFile(file, checkEveryMs, () => void this.#load());
    this.#timers = [
      setInterval(() => this.#lookAround(), checkEveryMs),
      setInterval(() => void this.#save(), saveEveryMs),
    ];
    return this.#load();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#watch?.stop();
    for (const timer of this.#timers) clearInterval(timer);
    if (this.#conditionsTimer) clearTimeout(this.#conditionsTimer);
    this.#hashQueue.clear();
    void this.#save();
  }

  doubt(objectId: string): void {
    this.#relocate(objectId);
    // Also if it has changed: the saved hash of that state may be the wrong one.
    this.#hashQueue.addUrgent(objectId);
  }

  /** Loads run one after another: the file may change again during a load. */
  #load(): Promise<void> {
    this.#loading = this.#loading.then(async () => {
      if (this.#state === 'stopped') return;
      const load = loadCatalogue(this.#data.file);
      if (load.result === 'loaded') await this.#take(load);
      else this.#refuse(load);
    });
    return this.#loading;
  }

  /** Keeps the previous directory; at the start, an empty one. */
  #refuse({ reason, errors }: CatalogueLoad & { result: 'refused' }): void {
    if (reason === 'Unreadable') this.#watch?.again();
    // An unreadable catalogue is retried; the same reason is logged once.
    if (this.#conditions.setCatalogue(reason, errors)) {
      this.#ports.log('warn', `The catalogue is rejected: ${errors.join('; ')}`);
    }
    if (this.#state === 'new') this.#publish({});
    else this.#reportConditions();
  }

  async #take({ root, catalogue, located }: CatalogueLoad & { result: 'loaded' }): Promise<void> {
    this.#state = 'holding';
    this.#ports.hold();
    this.#hashQueue.clear();
    this.#records.clear();
    this.#conditions.clearFiles();
    this.#conditions.clearCatalogue();
    this.#root = root;
    catalogue.objects.forEach((stated, index) => {
      this.#set({ ...stated, buckets: [...new Set(stated.buckets)] }, located[index] ?? locateFile(root, stated.file));
    });
    this.#ids = [...this.#records.keys()];
    await Promise.race([this.#hashQueue.whenIdle(), sleep(firstWorkMs, undefined, { ref: false })]);
    if (this.#isHolding()) this.#publish(workersOfBuckets(catalogue));
  }

  #isHolding = (): boolean => this.#state === 'holding';

  #publish(bucketWorkers: DirectorySnapshot['bucketWorkers']): void {
    this.#state = 'published';
    this.#reportConditions();
    this.#ports.replaced(this.#ids, bucketWorkers);
  }

  /** Records where an object's file is, with its saved type and hash, and queues what is missing. */
  #set(stated: StatedObject, located: Located): void {
    const workedOut = 'found' in located ? this.#files.recall(located.found) : nothingYet;
    const record = { stated, located, workedOut };
    this.#note(record);
    if (lacksSomething(record)) this.#hashQueue.add(stated.id);
  }

  #note(record: ObjectRecord): void {
    this.#records.set(record.stated.id, record);
    this.#conditions.note(record);
    if (this.#state !== 'published') return;
    this.#ports.updated(record.stated.id);
    this.#conditionsTimer ??= setTimeout(() => this.#reportConditions(), gatherMs);
  }

  #found(objectId: string, file: FoundFile, workedOut: WorkedOut): void {
    const record = this.#records.get(objectId);
    // The file may have changed since; its new state is queued separately.
    if (!record || !('found' in record.located) || record.located.found !== file) return;
    if (isDeepStrictEqual(record.workedOut, workedOut)) return;
    this.#files.remember(file, workedOut);
    this.#note({ ...record, workedOut });
  }

  /** Checks the next files in turn for those that were added, removed or changed. */
  #lookAround(): void {
    if (this.#state !== 'published') return;
    const count = Math.min(looksPerRound, this.#ids.length);
    for (let n = 0; n < count; n += 1) {
      this.#cursor = (this.#cursor + 1) % this.#ids.length;
      this.#relocate(this.#ids[this.#cursor] ?? '');
    }
  }

  /** Updates the record if the file has changed. */
  #relocate(objectId: string): void {
    const record = this.#records.get(objectId);
    if (!record) return;
    const located = locateFile(this.#root, record.stated.file);
    if (!sameLocated(located, record.located)) this.#set(record.stated, located);
  }

  #reportConditions(): void {
    if (this.#conditionsTimer) clearTimeout(this.#conditionsTimer);
    this.#conditionsTimer = null;
    const news = this.#conditions.news();
    if (news !== null) this.#ports.conditions(news);
  }

  async #save(): Promise<void> {
    const wanted = new Set<string>();
    for (const { located } of this.#records.values()) if ('found' in located) wanted.add(located.found.path);
    try {
      await this.#files.save((path) => wanted.has(path));
      this.#saveFails = false;
    } catch (error) {
      if (!this.#saveFails) this.#ports.log('warn', `The file hashes cannot be saved: ${messageOf(error)}`);
      this.#saveFails = true;
    }
  }
}

function workersOfBuckets({ workers }: Catalogue): DirectorySnapshot['bucketWorkers'] {
  const workersOf = new Map<string, number[]>();
  for (const { id, buckets } of workers) {
    for (const bucket of new Set(buckets)) workersOf.set(bucket, [...(workersOf.get(bucket) ?? []), id]);
  }
  return Object.fromEntries(workersOf);
}
