// Supervises the content process: implements `ContentSide` with a real process.
import { fileURLToPath } from 'node:url';
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import { type Condition, condition, type DatedCondition } from '../base/condition.ts';
import { settlesWithin } from '../base/timeout.ts';
import type { ContentOrder, ContentReport, ContentSetup, ContentStatus } from '../ipc/content-messages.ts';
import type { ContentSide, ContentSideEvent } from './content-side.ts';
import { contentCrashes } from './crashes.ts';
import { KnownNames } from './directory-names.ts';
import { ProcessPool } from './process-pool.ts';
import { type Departure, type Logger, SupervisedProcess } from './supervised-process.ts';
import type { SupervisionTimes } from './supervision.ts';

export interface ContentSupervisorOptions extends SupervisionTimes {
  readonly setup: ContentSetup;
  /** A process that does not answer within this time is killed. */
  readonly timeoutMs: number;
  readonly previewTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly niceness: number;
  readonly log: Logger;
  /** The script of the content process, if not the default one. */
  readonly entry?: string;
}

const contentScript = fileURLToPath(new URL('../content/content-main.js', import.meta.url));

/** How long the process may take to close the index when the node ends. */
const leaveMs = 2000;

/** Starts no process before `start`. */
export const createContentSupervisor = (options: ContentSupervisorOptions): ContentSide =>
  new ContentSupervisor({ entry: contentScript, ...options });

class ContentProcess extends SupervisedProcess<ContentOrder, ContentReport> {
  onReport: (report: ContentReport) => void = () => {};

  protected override received(report: ContentReport): void {
    this.onReport(report);
  }
}

class ContentSupervisor implements ContentSide {
  readonly settled: Promise<void>;
  readonly #options: Required<ContentSupervisorOptions>;
  readonly #pool: ProcessPool<ContentProcess>;
  readonly #names = new KnownNames();
  readonly #listeners = new Set<(event: ContentSideEvent) => void>();
  /** When each condition was first reported. */
  readonly #since = new Map<string, string>();
  #settings: Settings;
  #status: ContentStatus | null = null;
  /** Why the next process rebuilds the index; null: it does not. */
  #rebuildReason: string | null = null;
  #settle = () => {};

  constructor(options: Required<ContentSupervisorOptions>) {
    this.#options = options;
    this.#settings = options.setup.settings;
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#pool = new ProcessPool({
      ...options,
      count: 1,
      crashWords: contentCrashes,
      leaveMs,
      spawn: () => this.#spawn(),
      bringUp: (content) => this.#bringUp(content),
      onReady: (content) => {
        // Not before: on a busy machine it could take longer to start than it may.
        content.lowerPriority();
        content.startHeartbeat();
        this.#emit({ type: 'changed' });
      },
      onGone: (_, departure) => this.#onGone(departure),
    });
  }

  start(): void {
    this.#pool.start();
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    // One that is still starting gets them at the end of its setup.
    for (const content of this.#pool.ready) void content.order({ type: 'settings', settings });
  }

  async preview(before: Settings, after: Settings, maxIds: number): Promise<CoverageChange> {
    const [content] = this.#pool.ready;
    if (content === undefined) throw new Error('The content process is being started');
    const { previewTimeoutMs } = this.#options;
    const reply = content.order({ type: 'preview', before, after, maxIds });
    if (!(await settlesWithin(reply, previewTimeoutMs))) {
      throw new Error(`The content process did not answer within ${previewTimeoutMs} ms`);
    }
    const answer = await reply;
    if (answer.type === 'confirmed' && answer.change) return answer.change;
    if (answer.type === 'failed') throw new Error(answer.reason);
    throw new Error('The content process died');
  }

  get status(): ContentStatus | null {
    return this.#status;
  }

  knows(bucketId: string): boolean | null {
    return this.#names.has(bucketId);
  }

  bucketsOf(workerId: number): readonly string[] | null {
    return this.#names.bucketsOf(workerId);
  }

  get conditions(): readonly DatedCondition[] {
    const reported = (this.#status?.conditions ?? []).map((one) => ({
      ...one,
      since: this.#since.get(one.type) ?? '',
    }));
    return [...this.#pool.conditions, ...this.#stuck, ...reported];
  }

  get pid(): number | null {
    return this.#pool.alive[0]?.pid ?? null;
  }

  subscribe(listener: (event: ContentSideEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async end(): Promise<void> {
    this.#settle();
    await this.#pool.end();
  }

  rebuildIndex(reason: string): void {
    this.#rebuildReason = reason;
    for (const content of this.#pool.alive) content.kill('Killed', 'was replaced to rebuild the index', true);
    this.#pool.start();
  }

  kill(): void {
    for (const content of this.#pool.alive) content.kill('Killed', 'was killed and is replaced', true);
  }

  /** A process that was killed but cannot exit: the kernel waits for a disk. */
  get #stuck(): DatedCondition[] {
    const [content] = this.#pool.alive;
    const why = content?.killedFor ?? null;
    if (content === undefined || why === null || this.#pool.conditions.length > 0) return [];
    this.#stuckSince ??= new Date().toISOString();
    const message = `Content process ${content.pid} ${why}. It has not exited yet and is replaced when it has.`;
    return [{ ...condition('ContentCrashed', 'Unresponsive', message), since: this.#stuckSince }];
  }

  #stuckSince: string | null = null;

  #spawn(): ContentProcess {
    const content = new ContentProcess({ ...this.#options, what: 'content process', files: [] });
    content.onReport = (report) => this.#receive(report);
    return content;
  }

  async #bringUp(content: ContentProcess): Promise<void> {
    const settings = this.#settings;
    const rebuildReason = this.#rebuildReason;
    const setup = { ...this.#options.setup, settings, ...(rebuildReason === null ? {} : { rebuildReason }) };
    const reply = await content.order({ type: 'setup', setup });
    if (reply.type === 'confirmed' && this.#rebuildReason === rebuildReason) this.#rebuildReason = null;
    if (reply.type === 'failed') content.kill('Faulty', `could not be set up: ${reply.reason}`);
    if (this.#settings !== settings) void content.order({ type: 'settings', settings: this.#settings });
  }

  #receive(report: ContentReport): void {
    switch (report.type) {
      case 'status':
        this.#status = report.status;
        this.#date(report.status.conditions);
        if (report.status.isSettled) this.#settle();
        this.#emit({ type: 'changed' });
        return;
      case 'names':
        this.#names.set(report.names);
        this.#emit({ type: 'changed' });
        return;
      case 'log':
        this.#options.log[report.level]({}, report.message);
    }
  }

  #date(conditions: readonly Condition[]): void {
    const now = new Date().toISOString();
    const types = new Set<string>(conditions.map(({ type }) => type));
    for (const type of this.#since.keys()) if (!types.has(type)) this.#since.delete(type);
    for (const type of types) if (!this.#since.has(type)) this.#since.set(type, now);
  }

  #onGone({ pid, at, reason, description, expected }: Departure): void {
    this.#stuckSince = null;
    const { log } = this.#options;
    if (expected) log.info({ pid }, `content process ${description}`);
    else {
      log.warn({ pid, reason }, `content process ${description}`);
      const message = `Content process ${pid} ${description}`;
      this.#emit({ type: 'crash', report: { at: new Date(at).toISOString(), what: 'content', pid, reason, message } });
    }
    this.#emit({ type: 'changed' });
  }

  #emit(event: ContentSideEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
