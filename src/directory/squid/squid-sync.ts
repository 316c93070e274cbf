// Repeats syncs: at once after a change of settings, at a fixed interval after a success, with backoff after a failure.
import type { Settings } from '../../../machines/settings.ts';
import { messageOf } from '../../base/errors.ts';
import type { IndexWriter } from '../../store/object-index.ts';
import type { DirectoryProgress } from '../directory.ts';
import type { Clock } from './clock.ts';
import { PageSize } from './page-size.ts';
import type { SquidClient } from './squid-client.ts';
import type { SquidConditions } from './squid-conditions.ts';
import { markOf, neededBuckets } from './squid-marks.ts';
import { type PassResult, SquidPass } from './squid-pass.ts';
import { SquidFailure } from './squid-request.ts';

export interface SyncOptions {
  readonly client: SquidClient;
  readonly index: IndexWriter;
  readonly conditions: SquidConditions;
  readonly clock: Clock;
  readonly log: { info(message: string): void; warn(message: string): void };
  readonly pageBags: number;
  readonly pauseMs: number;
  readonly everyMs: number;
  /** The progress has changed. */
  readonly changed: () => void;
}

/** Pause after the first failure; doubled with each further one, up to the pause between syncs. */
const firstRetryMs = 1000;

/** The settings have changed: the pass is abandoned. */
class Superseded extends Error {}

export class SquidSync {
  readonly #options: SyncOptions;
  readonly #pageSize: PageSize;
  readonly #end = new AbortController();
  #settings: Settings = { workerId: null, buckets: null };
  /** Aborted when the settings change. */
  #change = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #retryMs = firstRetryMs;
  /** The last failure logged; null: the last sync succeeded. */
  #failure: string | null = null;
  #result: PassResult['result'] | null = null;
  #progress: Pick<DirectoryProgress, 'bagsRead' | 'objectsRead' | 'height' | 'squidVersion'>;

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#pageSize = new PageSize(options.pageBags);
    this.#progress = { bagsRead: null, objectsRead: null, squidVersion: null, height: this.#last?.height ?? null };
  }

  get progress(): DirectoryProgress {
    const activity = this.#progress.bagsRead === null ? 'idle' : 'reading';
    return { activity, filesToHash: 0, readAt: this.#last?.at ?? null, ...this.#progress };
  }

  get #last() {
    return markOf(this.#options.index, 'last');
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#change.abort();
  }

  /** Known buckets that these settings need, and the last complete sync did not. */
  unread(settings: Settings): readonly string[] {
    const { index } = this.#options;
    const read = new Set(this.#last?.needed);
    return neededBuckets(settings, index.buckets()).filter((id) => !read.has(id) && index.bucket(id) !== undefined);
  }

  start(): void {
    this.#change = new AbortController();
    this.#running = this.#run();
  }

  /** The caller ends the client's queries. */
  async stop(): Promise<void> {
    this.#end.abort();
    this.#change.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, everyMs } = this.#options;
    while (!this.#end.signal.aborted) {
      this.#change = new AbortController();
      const { signal } = this.#change;
      const pauseMs = (await this.#attempt(signal)) ? everyMs : this.#nextRetryMs();
      await clock.sleep(pauseMs, signal);
    }
  }

  #nextRetryMs(): number {
    const retryMs = Math.min(this.#retryMs, Math.max(this.#options.everyMs, firstRetryMs));
    this.#retryMs = 2 * retryMs;
    return retryMs;
  }

  /** @returns false: the squid or the index failed */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { conditions, log } = this.#options;
    try {
      const result = await this.#pass(signal);
      this.#retryMs = firstRetryMs;
      this.#failure = null;
      conditions.answered('sync');
      conditions.setNotWritten(null);
      this.#report(result);
      return true;
    } catch (error) {
      if (error instanceof Superseded || this.#end.signal.aborted) return true;
      if (error instanceof SquidFailure) conditions.failed('sync', error);
      else conditions.setNotWritten(error);
      const message = `A sync with the storage squid has failed: ${messageOf(error)}`;
      if (message !== this.#failure) log.warn(message);
      this.#failure = message;
      return false;
    } finally {
      this.#setProgress({ bagsRead: null, objectsRead: null });
    }
  }

  async #pass(signal: AbortSignal): Promise<PassResult> {
    const { client, index, clock, pauseMs } = this.#options;
    // Queried until known; a squid without a version is queried once per sync.
    if (this.#progress.squidVersion === null) this.#setProgress({ squidVersion: await client.version() });
    const pass = new SquidPass({
      client,
      index,
      settings: this.#settings,
      version: this.#progress.squidVersion,
      pageSize: this.#pageSize,
      now: () => clock.now(),
      pause: async () => {
        await clock.sleep(pauseMs, signal);
        if (signal.aborted) throw new Superseded();
      },
      progress: ({ bags, objects, height }) => {
        const { bagsRead } = this.#progress;
        // Success of the small queries proves nothing: queries for pages may still time out.
        if (bagsRead !== null && bags > bagsRead) this.#options.conditions.answered('sync');
        this.#setProgress({ bagsRead: bags, objectsRead: objects, height });
      },
    });
    return pass.run();
  }

  #report(pass: PassResult): void {
    const { conditions, log } = this.#options;
    const kind = pass.result;
    if (kind === 'complete' || kind === 'unchanged') conditions.setBehind(null);
    if (kind === 'lower') conditions.setBehind('LowerHeight', lowerWords(pass));
    if (kind === 'fewer') conditions.setBehind('FewerObjects', fewerWords(pass));
    if (kind === this.#result) return;
    this.#result = kind;
    if (kind === 'lower' || kind === 'fewer') log.warn(conditions.list.map(({ message }) => message).join(' '));
    else log.info('The index has been synced with the storage squid.');
  }

  #setProgress(change: Partial<SquidSync['progress']>): void {
    const before = JSON.stringify(this.#progress);
    this.#progress = { ...this.#progress, ...change };
    if (JSON.stringify(this.#progress) !== before) this.#options.changed();
  }
}

const lowerWords = ({ height, before }: PassResult & { result: 'lower' }): string =>
  `The squid ${height === null ? 'does not report its height' : `is at block ${height}`}; at the last complete sync it was at ${before}.`;

const fewerWords = ({ lost, known }: PassResult & { result: 'fewer' }): string =>
  `${lost} of ${known} objects are missing from the squid. They are kept until the next sync confirms the loss.`;
