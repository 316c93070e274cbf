// The work of the content process: the index, the directory that fills it, and what it reports about both.
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import { type Condition, condition } from '../base/condition.ts';
import { messageOf } from '../base/errors.ts';
import { openCatalogue } from '../directory/catalogue/catalogue.ts';
import { limitHashRate } from '../directory/catalogue/hash-rate.ts';
import type { Directory } from '../directory/directory.ts';
import { openSquid } from '../directory/squid/squid.ts';
import type { Bringing } from '../ipc/arrival.ts';
import type {
  CatalogueSetup,
  ContentReport,
  ContentSetup,
  ContentStatus,
  SquidSetup,
} from '../ipc/content-messages.ts';
import type { LookUp } from '../ipc/look-up.ts';
import { type LookUpServer, serveLookUps } from '../ipc/look-up-channel.ts';
import type { Sources } from '../sources/source.ts';
import { openSources } from '../sources/sources.ts';
import { dataObject, withCopy } from '../store/data-object.ts';
import { markDamaged, type OpenedStore, openStore } from '../store/index-folder.ts';
import type { IndexWriter } from '../store/object-index.ts';
import { coverageChange } from '../store/settings-preview.ts';
import { Cache } from './cache.ts';
import { directoryNames } from './directory-names-report.ts';
import { originIn } from './object-origin.ts';

/** Minimum interval between reports: progress changes with every page. */
const reportMs = 500;
/** Pause before another attempt to open an index that could not be opened. */
const reopenMs = 5000;
/** How long the condition `IndexRebuilt` stays, so that an operator sees it. */
const rebuiltMs = 300_000;
/** Maximum length of a text for the control process, in characters: names in a catalogue may be megabytes long. */
const maxTextLength = 4000;
/** Rows of old versions are removed in small steps, with a pause for other work. */
const tidyPauseMs = 20;
const tidyIdleMs = 5000;
/** Maximum number of downloads in a status. */
const maxListed = 50;
/** The whole index is read at intervals, also in small steps, to find damage that no other read meets. */
const checkPauseMs = 20;
const checkIdleMs = 600_000;

export class Content {
  readonly #send: (report: ContentReport) => void;
  readonly #die: (message: string) => never;
  #setup: ContentSetup | null = null;
  #settings: Settings = { workerId: null, buckets: null };
  #store: OpenedStore | null = null;
  #unusable: Condition | null = null;
  #rebuilt: Condition | null = null;
  #directory: Directory | null = null;
  #lookUps: LookUpServer | null = null;
  #sources: Sources | null = null;
  #cache: Cache | null = null;
  readonly #abort = new AbortController();
  /** Time of the last read of the directory before the latest change of settings. */
  #readBefore: string | null = null;
  #timers = new Map<string, NodeJS.Timeout>();
  #names = '';
  /** The state of the index whose names were sent. */
  #namesOf = '';
  /** Id of the open index, kept here because a damaged index may be unreadable. */
  #indexId: string | null = null;
  #isClosed = false;
  #isSettled = false;

  /** @param die ends the process: no part of a damaged index can be trusted, so the replacement process rebuilds it */
  constructor(send: (report: ContentReport) => void, die: (message: string) => never) {
    this.#send = send;
    this.#die = die;
  }

  open(setup: ContentSetup): void {
    this.#setup = setup;
    this.#settings = setup.settings;
    const lookUps = {
      lookUp: (id: string) => this.#lookUp(id),
      reportBadCopy: (id: string) => {
        this.#directory?.reportBadCopy(id);
        this.#cache?.reportBadCopy(id);
      },
      reportDamage: (indexId: string, message: string) => {
        // An earlier index has been rebuilt already.
        if (this.#indexId === indexId) this.#rebuild(message);
      },
    };
    serveLookUps(setup.lookUpSocket, lookUps, this.#bringing).then(
      (server) => {
        this.#lookUps = server;
        if (this.#isClosed) void server.close();
      },
      (error: unknown) => this.#log('warn', `Single objects cannot be looked up: ${messageOf(error)}`),
    );
    if (setup.rebuildReason !== undefined) this.#mark(setup.rebuildReason);
    this.#openIndex(setup);
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#readBefore = this.#directory?.progress.readAt ?? null;
    this.#directory?.configure(settings);
    this.#cache?.configure();
  }

  /** @throws {Error} with a reason for the operator */
  preview(before: Settings, after: Settings, maxIds: number): CoverageChange {
    if (this.#store === null || this.#directory === null) throw new Error('There is no index');
    const { index } = this.#store;
    index.refresh();
    if (index.summary.readAt === null) throw new Error('The directory has never been read completely');
    const unread = [...new Set([before, after].flatMap((settings) => this.#directory?.unread(settings) ?? []))];
    if (unread.length > 0) {
      const buckets = unread.length === 1 ? `bucket ${unread[0]}` : `${unread.length} buckets`;
      throw new Error(`The objects of ${buckets} have not been read: only objects that the settings need are read`);
    }
    return coverageChange(index, before, after, maxIds);
  }

  /** Resolves when all writes have ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#abort.abort();
    await Promise.all([this.#lookUps?.close(), this.#directory?.stop(), this.#cache?.close()]);
    await this.#sources?.stop();
    await this.#store?.index.close();
  }

  #openIndex(setup: ContentSetup): void {
    const { directory, source } = setup;
    if (directory === null || source === null) {
      this.#report();
      return;
    }
    try {
      const { stateDirectory, maxIndexBytes } = setup;
      this.#store = openStore(stateDirectory, source, maxIndexBytes, ({ message }) => this.#rebuild(message));
      this.#indexId = this.#store.index.summary.id;
      this.#unusable = null;
    } catch (error) {
      const message = `The index in ${setup.stateDirectory} cannot be opened: ${messageOf(error)}`;
      if (this.#unusable === null) this.#log('warn', message);
      this.#unusable = condition('IndexUnusable', 'CannotOpen', message);
      this.#later('reopen', reopenMs, () => this.#openIndex(setup));
      this.#report();
      return;
    }
    const { index, rebuilt } = this.#store;
    if (rebuilt !== null) this.#noteRebuilt(rebuilt);
    this.#directory = this.#openDirectory(directory, index);
    this.#directory.configure(this.#settings);
    this.#directory.subscribe(() => this.#reportSoon());
    this.#directory.start();
    this.#readBefore = this.#directory.progress.readAt;
    this.#openCache(setup, index);
    this.#tidy(index);
    this.#later('check', checkPauseMs, () => this.#check(index));
    this.#report();
  }

  /** The index is damaged. */
  #rebuild(message: string): never {
    this.#mark(message);
    this.#die(message);
  }

  #mark(message: string): void {
    const { stateDirectory = '' } = this.#setup ?? {};
    try {
      markDamaged(stateDirectory, message);
    } catch (error) {
      this.#log('warn', `The index in ${stateDirectory} is damaged, and cannot be renamed: ${messageOf(error)}`);
    }
  }

  #openDirectory(setup: CatalogueSetup | SquidSetup, index: IndexWriter): Directory {
    const log = {
      info: (message: string) => this.#log('info', message),
      warn: (message: string) => this.#log('warn', message),
    };
    return setup.kind === 'catalogue'
      ? openCatalogue(setup, { index, log, dataObject })
      : openSquid(setup, { index, log });
  }

  #openCache({ cache: setup, sources: sourcesSetup }: ContentSetup, index: IndexWriter): void {
    const sources = openSources({ ...sourcesSetup, log: { warn: (message) => this.#log('warn', message) } });
    this.#sources = sources;
    this.#cache = new Cache({
      ...{ setup, index, sources },
      settings: () => this.#settings,
      originOf: originIn(index),
      lookUp: (id) => this.#lookUp(id),
      isDirectoryCurrent: () => this.#isDirectoryCurrent(),
      pace: limitHashRate(setup.hashBytesPerSec, this.#abort.signal),
      log: (message) => this.#log('info', message),
      onChange: () => this.#reportSoon(),
    });
    sources.subscribe(() => this.#reportSoon());
    sources.start();
    this.#cache.start();
  }

  /** Without an index, every answer is `undecided`. */
  get #bringing(): Bringing {
    const cache = () => this.#cache;
    return {
      bring: (id, options) =>
        cache()?.bring(id, options) ?? { brought: Promise.resolve({ result: 'undecided' }), stop: () => {} },
      reportUses: (uses) => cache()?.reportUses(uses),
      get downloadsInProgress() {
        return cache()?.downloadsInProgress ?? 0;
      },
    };
  }

  /** Whether an object that the index does not contain is in no bag that the settings cover. */
  #isDirectoryCurrent(): boolean {
    if (this.#directory === null || (this.#store?.index.summary.readAt ?? null) === null) return false;
    const { readAt } = this.#directory.progress;
    // The index of a squid contains all objects that the settings cover once it was read with these settings.
    return this.#setup?.directory?.kind === 'catalogue' || (readAt !== null && readAt !== this.#readBefore);
  }

  #noteRebuilt({ reason, message: cause, renamedTo }: NonNullable<OpenedStore['rebuilt']>): void {
    const message = `${cause}. It was renamed to ${renamedTo}, and a new index is being built.`;
    this.#log('warn', message);
    this.#rebuilt = condition('IndexRebuilt', reason, message);
    this.#later('rebuilt', rebuiltMs, () => {
      this.#rebuilt = null;
      this.#report();
    });
  }

  async #lookUp(id: string): Promise<LookUp> {
    const found = (await this.#directory?.lookUp(id)) ?? { result: 'undecided' };
    const copy = found.result === 'found' ? this.#store?.index.copy(id) : undefined;
    if (found.result !== 'found' || copy === undefined || this.#cache === null) return found;
    return { ...found, object: withCopy(found.object, copy, this.#cache.assets) };
  }

  #tidy(index: IndexWriter): void {
    let hasMore = false;
    try {
      hasMore = index.tidy();
    } catch {
      // A full disk: the driver reports it, and the rows can be removed later.
    }
    this.#later('tidy', hasMore ? tidyPauseMs : tidyIdleMs, () => this.#tidy(index));
  }

  #check(index: IndexWriter): void {
    const hasMore = index.check();
    this.#later('check', hasMore ? checkPauseMs : checkIdleMs, () => this.#check(index));
  }

  /** Reports at once if the control process is waiting for this report. */
  #reportSoon(): void {
    if (!this.#isSettled && this.#status().isSettled) this.#report();
    else this.#later('report', reportMs, () => this.#report());
  }

  #report(): void {
    const status = this.#status();
    this.#isSettled = status.isSettled;
    this.#reportNames();
    this.#send({ type: 'status', status });
  }

  #status(): ContentStatus {
    const directory = this.#directory;
    const summary = this.#store?.index.summary;
    const readAt = summary?.readAt ?? null;
    const conditions = [
      this.#unusable ?? [],
      this.#rebuilt ?? [],
      directory?.conditions ?? [],
      this.#notRead(readAt) ?? [],
      this.#sources?.conditions ?? [],
      this.#cache?.conditions ?? [],
    ]
      .flat()
      .map((one) => ({ ...one, message: shortened(one.message) }));
    const hasFailed = directory?.conditions.some(
      ({ type }) => type === 'CatalogueInvalid' || type === 'IndexNotWritten',
    );
    return {
      indexId: summary?.id ?? null,
      isSettled:
        readAt !== null || directory === null || this.#setup?.directory?.kind === 'squid' || hasFailed === true,
      objects: summary?.totals.objects ?? 0,
      bags: summary?.totals.bags ?? 0,
      readAt,
      progress: directory?.progress ?? null,
      copies: summary?.totals.copies ?? 0,
      copyBytes: summary?.totals.copyBytes ?? 0,
      copiesToRemove: this.#cache?.copiesToRemove ?? 0,
      downloadCount: this.#cache?.downloadsInProgress ?? 0,
      downloads: this.#cache?.downloads.slice(0, maxListed) ?? [],
      conditions,
    };
  }

  #notRead(readAt: string | null): Condition | null {
    if (readAt !== null) return null;
    if (this.#setup?.directory === null) {
      const message =
        'The config names no directory, so the node serves no objects: set catalogue or endpoints.storageSquid.';
      return condition('NoDirectory', 'NotConfigured', message);
    }
    if (this.#directory === null) return null;
    // Without the progress, which changes twice a second: each change of a message is an event that is kept.
    return condition('DirectoryNotRead', 'FirstRead', 'The directory has not been read completely yet.');
  }

  /** The names change with a version of a catalogue, or during a sync. */
  #reportNames(): void {
    if (this.#store === null || this.#directory === null) return;
    const { index } = this.#store;
    const isSyncing = this.#setup?.directory?.kind === 'squid';
    const { version, readAt } = index.summary;
    if (`${version} ${readAt !== null}` === this.#namesOf && !isSyncing) return;
    this.#namesOf = `${version} ${readAt !== null}`;
    const names = directoryNames(index);
    const text = JSON.stringify(names);
    if (text === this.#names) return;
    this.#names = text;
    this.#send({ type: 'names', names });
  }

  #log(level: 'info' | 'warn', message: string): void {
    this.#send({ type: 'log', level, message: shortened(message) });
  }

  /** At most one timer per name. */
  #later(name: string, ms: number, work: () => void): void {
    if (this.#isClosed || this.#timers.has(name)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      work();
    }, ms);
    this.#timers.set(name, timer);
  }
}

const shortened = (text: string): string => (text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text);
