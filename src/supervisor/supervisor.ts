// Supervises the public workers: fills the port `PublicSide` with real processes.
import { fileURLToPath } from 'node:url';
import type { CloseResult } from '../../machines/node.ts';
import type { Settings } from '../../machines/settings.ts';
import { condition, type DatedCondition } from '../base/condition.ts';
import { monotonicMs } from '../base/monotonic.ts';
import { type ConnectionCounts, openConnectionCounts } from '../ipc/connection-counts.ts';
import type { ActivityMetrics, DirectoryChange, DrainProgress, WorkerSetup } from '../ipc/messages.ts';
import { type NumberedSettings, openSharedSettings } from '../ipc/shared-settings.ts';
import {
  addServerCounters,
  addServerMetrics,
  noServerCounters,
  noServerMetrics,
  type ServerMetrics,
} from '../metrics/counters.ts';
import { DirectoryFeed } from './directory-feed.ts';
import { Drains } from './drains.ts';
import { ProcessPool } from './process-pool.ts';
import { PublicPort } from './public-port.ts';
import type { DrainStatus, PublicSide, PublicSideEvent, WorkerStatus } from './public-side.ts';
import { type Departure, type Logger, WorkerProcess } from './server-process.ts';
import type { SupervisionTimes } from './supervision.ts';

export interface WorkersOptions extends SupervisionTimes {
  /** A worker that has not started after this long is killed. */
  readonly startTimeoutMs: number;
  readonly setup: WorkerSetup;
  readonly host: string;
  /** 0: a free one is chosen when the port is first opened, and kept as long as nobody else takes it. */
  readonly port: number;
  /** How many processes. */
  readonly count: number;
  /** A worker that has not confirmed a step after this long is killed. */
  readonly workerTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly heartbeatMs: number;
  /** How far workers stand back behind this process, as `nice` counts. */
  readonly niceness: number;
  readonly log: Logger;
  /** The worker's script, where it is another than the one built here. */
  readonly entry?: string;
}

const workerScript = fileURLToPath(new URL('../public/server-main.js', import.meta.url));

/**
 * No process is started before `start`.
 * @throws {Error} where no file can be made for the settings
 */
export const createWorkers = (options: WorkersOptions): PublicSide => new Workers({ entry: workerScript, ...options });

class Workers implements PublicSide {
  readonly #options: Required<WorkersOptions>;
  readonly #setup: WorkerSetup;
  readonly #pool: ProcessPool;
  readonly #feed = new DirectoryFeed();
  readonly #drains: Drains;
  readonly #port: PublicPort;
  readonly #listeners = new Set<(event: PublicSideEvent) => void>();
  /** What `/readyz` is to say where the port is open. */
  #isReady = true;
  readonly #sharedSettings = openSharedSettings();
  readonly #connections: ConnectionCounts;
  #settings: NumberedSettings = { number: 0, settings: { workerId: null, buckets: null } };
  #noneServing: { readonly since: number; readonly why: string } | null = null;
  /** What workers that have gone had done. */
  readonly #past = { requests: 0, bytesSent: 0, counts: noServerCounters };
  readonly #losses = new Map<string, number>();

  constructor(options: Required<WorkersOptions>) {
    this.#options = options;
    this.#setup = { startedMs: monotonicMs(), ...options.setup };
    this.#connections = openConnectionCounts(options.count);
    this.#drains = new Drains((id, cut) => this.#emit({ type: 'drain.ended', id, cut }));
    this.#pool = new ProcessPool({
      ...options,
      spawn: (number) => this.#spawn(number),
      bringUp: (worker) => this.#bringUp(worker),
      onReady: (worker) => this.#onReady(worker),
      onGone: (worker, departure) => this.#onGone(worker, departure),
    });
    const onChange = () => this.#changed();
    this.#port = new PublicPort({ ...options, pool: this.#pool, drains: this.#drains, onChange });
  }

  start(): void {
    this.#pool.start();
    this.#changed();
  }

  prepare(settings: Settings): void {
    this.#sharedSettings.prepare(settings);
  }

  async configure(settings: Settings): Promise<void> {
    // Workers that start later are given them even where the sharedSettings cannot be written.
    this.#settings = { number: this.#settings.number + 1, settings };
    this.#sharedSettings.write(this.#settings);
  }

  async publish(change: DirectoryChange): Promise<void> {
    this.#feed.note(change);
    await this.#everyReady((worker) => this.#feed.tell(worker, change));
  }

  listen({ patienceMs, signal }: { readonly patienceMs: number; readonly signal?: AbortSignal }): Promise<void> {
    this.#tellReady(true);
    return this.#port.open(patienceMs, signal);
  }

  async close(): Promise<CloseResult> {
    return { drain: await this.#port.close() };
  }

  retire(): void {
    this.#tellReady(false);
  }

  cut(drain: number): void {
    this.#drains.cut(drain);
  }

  kill(): void {
    for (const worker of this.#pool.alive) worker.kill('Killed', 'was killed and is replaced', true);
    this.#changed();
  }

  async end(): Promise<void> {
    this.#port.forget('The node is shutting down');
    await this.#pool.end();
    this.#sharedSettings.close();
    this.#connections.close();
  }

  get workers(): readonly WorkerStatus[] {
    return this.#pool.alive.map((worker) => ({ pid: worker.pid, state: this.#stateOf(worker) }));
  }

  get conditions(): readonly DatedCondition[] {
    if (this.#noneServing === null) return this.#pool.conditions;
    const { since, why } = this.#noneServing;
    const message = `The public API should be running, and no worker serves it: ${why}. A new one is started.`;
    const none = condition('NoWorkerServing', 'AllWorkersLost', message);
    return [...this.#pool.conditions, { ...none, since: new Date(since).toISOString() }];
  }

  get drain(): DrainStatus | null {
    return this.#drains.status;
  }

  get port(): number | null {
    return this.#port.number;
  }

  get activity(): ActivityMetrics {
    let { requests, bytesSent } = this.#past;
    let downloadsInProgress = 0;
    const drains = new Map<number, DrainProgress>();
    for (const { activity } of this.#pool.alive) {
      requests += activity.requests;
      bytesSent += activity.bytesSent;
      downloadsInProgress += activity.downloadsInProgress;
      for (const { drain, ...load } of activity.drains) {
        const { connections, bytesLeft } = drains.get(drain) ?? { connections: 0, bytesLeft: 0 };
        const sum = { connections: connections + load.connections, bytesLeft: bytesLeft + load.bytesLeft };
        drains.set(drain, { drain, ...sum });
      }
    }
    return { requests, bytesSent, downloadsInProgress, drains: [...drains.values()] };
  }

  get serverMetrics(): ServerMetrics {
    return this.#pool.alive
      .map((worker) => worker.serverMetrics)
      .reduce(addServerMetrics, { ...noServerMetrics, counts: this.#past.counts });
  }

  get losses(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#losses);
  }

  subscribe(listener: (event: PublicSideEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tellReady(ready: boolean): void {
    if (ready === this.#isReady) return;
    this.#isReady = ready;
    // Those that are still starting are told when they have started.
    for (const worker of this.#pool.ready) void worker.order({ type: 'ready', ready });
  }

  #spawn(number: number): WorkerProcess {
    const { entry, workerTimeoutMs: timeoutMs, heartbeatMs, niceness, log } = this.#options;
    return new WorkerProcess({
      number,
      files: [this.#sharedSettings.descriptor, this.#connections.descriptor],
      niceness,
      entry,
      timeoutMs,
      heartbeatMs,
      log,
      drained: (worker, drain, cut) => {
        this.#drains.partEnded(drain, worker, cut);
        this.#changed();
      },
      doubt: (objectId) => this.#emit({ type: 'doubt', objectId }),
      requests: ({ pid }, { lines, dropped }) => {
        for (const { fault, ...line } of lines) {
          if (fault === undefined) log.http?.({ pid, ...line }, 'public request');
          else log.warn({ pid, ...line, fault }, 'a public request could not be answered');
        }
        if (dropped > 0) log.warn({ pid, dropped }, 'public requests were too many to be told of one by one');
      },
    });
  }

  async #bringUp(worker: WorkerProcess): Promise<void> {
    const { startTimeoutMs, drainTimeoutMs } = this.#options;
    const order = {
      type: 'setup',
      setup: this.#setup,
      process: worker.number,
      settings: this.#settings,
      drainTimeoutMs,
    } as const;
    const reply = await worker.order(order, startTimeoutMs);
    if (reply.type === 'failed') worker.kill('Faulty', `could not be set up: ${reply.reason}`);
    await this.#feed.tellAll(worker);
    // Whoever replaces another while the node is a lame duck is one too.
    if (!this.#isReady) void worker.order({ type: 'ready', ready: false });
  }

  #onReady(worker: WorkerProcess): void {
    this.#options.log.info({ pid: worker.pid }, 'public worker ready');
    worker.startHeartbeat();
    worker.standBack();
    this.#changed();
    void this.#serve(worker);
  }

  /** As long as the port is open, a worker that cannot serve it tries again: somebody else may have taken it for a while. */
  async #serve(worker: WorkerProcess): Promise<void> {
    const refusal = await this.#port.join(worker);
    this.#changed(refusal?.words);
    if (refusal === null) return;
    this.#options.log.warn({ pid: worker.pid }, `public worker cannot serve: ${refusal.words}`);
    setTimeout(() => void this.#serve(worker), this.#options.rejoinMs).unref();
  }

  #onGone(worker: WorkerProcess, { pid, at, reason, words, expected }: Departure): void {
    if (expected) this.#options.log.info({ pid }, `public worker ${words}`);
    else {
      this.#options.log.warn({ pid, reason }, `public worker ${words}`);
      const message = `Public worker ${pid} ${words}`;
      this.#emit({ type: 'crash', report: { at: new Date(at).toISOString(), what: 'worker', pid, reason, message } });
    }
    this.#past.requests += worker.activity.requests;
    this.#past.bytesSent += worker.activity.bytesSent;
    this.#past.counts = addServerCounters(this.#past.counts, worker.serverMetrics.counts);
    if (!expected) this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + 1);
    this.#connections.clear(worker.number);
    this.#drains.workerGone(worker);
    this.#changed(`the last one ${words}`);
  }

  async #everyReady(tell: (worker: WorkerProcess) => Promise<unknown>): Promise<void> {
    await Promise.all(
      this.#pool.alive.map((worker) => {
        const told = tell(worker);
        return worker.ready ? told : undefined;
      }),
    );
  }

  #stateOf(worker: WorkerProcess): WorkerStatus['state'] {
    if (worker.serving) return 'serving';
    if (this.#drains.has(worker)) return 'draining';
    return worker.ready ? 'idle' : 'starting';
  }

  /** @param condition why nobody may be serving, if nobody is */
  #changed(condition?: string): void {
    const serving = !this.#port.isOpen || this.#pool.alive.some((worker) => worker.serving);
    if (serving) this.#noneServing = null;
    else {
      const { since = Date.now(), why = '' } = this.#noneServing ?? {};
      this.#noneServing = { since, why: condition ?? why };
    }
    this.#emit({ type: 'changed' });
  }

  #emit(event: PublicSideEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
