// Supervises the server processes: implements `PublicSide` with real processes.
import { fileURLToPath } from 'node:url';
import type { CloseResult } from '../../machines/node.ts';
import type { Settings } from '../../machines/settings.ts';
import { condition, type DatedCondition } from '../base/condition.ts';
import { monotonicMs } from '../base/monotonic.ts';
import { type ConnectionCounts, openConnectionCounts } from '../ipc/connection-counts.ts';
import type { ActivityMetrics, DrainProgress, ServerSetup } from '../ipc/messages.ts';
import { type NumberedSettings, openSharedSettings } from '../ipc/shared-settings.ts';
import {
  addServerCounters,
  addServerMetrics,
  noServerCounters,
  noServerMetrics,
  type ServerMetrics,
} from '../metrics/counters.ts';
import { serverCrashes } from './crashes.ts';
import { Drains } from './drains.ts';
import { ProcessPool } from './process-pool.ts';
import { PublicPort } from './public-port.ts';
import type { DrainStatus, PublicSide, PublicSideEvent, WorkerStatus } from './public-side.ts';
import { ServerProcess } from './server-process.ts';
import type { Departure, Logger } from './supervised-process.ts';
import type { SupervisionTimes } from './supervision.ts';

export interface SupervisorOptions extends SupervisionTimes {
  /** A server process that has not started within this time is killed. */
  readonly startTimeoutMs: number;
  readonly setup: ServerSetup;
  readonly host: string;
  /** 0: a free port, chosen at the first opening; it is used again unless another process has taken it. */
  readonly port: number;
  /** Number of server processes. */
  readonly count: number;
  /** A server process that has not confirmed a step within this time is killed. */
  readonly workerTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly heartbeatMs: number;
  /** Niceness of the server processes. */
  readonly niceness: number;
  readonly log: Logger;
  /** The script of a server process, if not the default one. */
  readonly entry?: string;
}

const serverScript = fileURLToPath(new URL('../public/server-main.js', import.meta.url));

/**
 * Starts no process before `start`.
 * @throws {Error} if no file for the settings can be created
 */
export const createSupervisor = (options: SupervisorOptions): PublicSide =>
  new Supervisor({ entry: serverScript, ...options });

class Supervisor implements PublicSide {
  readonly #options: Required<SupervisorOptions>;
  readonly #setup: ServerSetup;
  readonly #pool: ProcessPool<ServerProcess>;
  readonly #drains: Drains;
  readonly #port: PublicPort;
  readonly #listeners = new Set<(event: PublicSideEvent) => void>();
  readonly hasIndex: Promise<void>;
  #noteIndex = () => {};
  #indexWasRead = false;
  /** What `/readyz` returns while the port is open. */
  #isReady = true;
  readonly #sharedSettings = openSharedSettings();
  readonly #connections: ConnectionCounts;
  #settings: NumberedSettings = { number: 0, settings: { workerId: null, buckets: null } };
  /** The index that the content process has built or opened; null: not known yet. */
  #indexId: string | null = null;
  #noneServing: { readonly since: number; readonly why: string } | null = null;
  /** Metrics of processes that have exited. */
  readonly #past = { requests: 0, bytesSent: 0, counts: noServerCounters };
  readonly #losses = new Map<string, number>();

  constructor(options: Required<SupervisorOptions>) {
    this.#options = options;
    this.hasIndex = new Promise((resolve) => {
      this.#noteIndex = () => {
        this.#indexWasRead = true;
        resolve();
      };
    });
    this.#setup = { startedMs: monotonicMs(), ...options.setup };
    this.#connections = openConnectionCounts(options.count);
    this.#drains = new Drains((id, cut) => this.#emit({ type: 'drain.ended', id, cut }));
    this.#pool = new ProcessPool({
      ...options,
      crashWords: serverCrashes,
      leaveMs: options.workerTimeoutMs,
      spawn: (number) => this.#spawn(number),
      bringUp: (server) => this.#bringUp(server),
      onReady: (server) => this.#onReady(server),
      onGone: (server, departure) => this.#onGone(server, departure),
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
    // Later processes get these settings even if the shared file cannot be written.
    this.#settings = { number: this.#settings.number + 1, settings };
    this.#sharedSettings.write(this.#settings);
  }

  useIndex(id: string): void {
    if (id === this.#indexId) return;
    this.#indexId = id;
    // A process that is still starting gets this at the end of its setup.
    for (const server of this.#pool.ready) void this.#sendIndex(server);
  }

  listen({ patienceMs, signal }: { readonly patienceMs: number; readonly signal?: AbortSignal }): Promise<void> {
    this.#setReady(true);
    return this.#port.open(patienceMs, signal);
  }

  async close(): Promise<CloseResult> {
    return { drain: await this.#port.close() };
  }

  retire(): void {
    this.#setReady(false);
  }

  cut(drain: number): void {
    this.#drains.cut(drain);
  }

  kill(): void {
    for (const server of this.#pool.alive) server.kill('Killed', 'was killed and is replaced', true);
    this.#changed();
  }

  async end(): Promise<void> {
    this.#port.cancel('The node is shutting down');
    await this.#pool.end();
    this.#sharedSettings.close();
    this.#connections.close();
  }

  get workers(): readonly WorkerStatus[] {
    return this.#pool.alive.map((server) => ({ pid: server.pid, state: this.#stateOf(server) }));
  }

  get conditions(): readonly DatedCondition[] {
    if (this.#noneServing === null) return this.#pool.conditions;
    const { since, why } = this.#noneServing;
    const message = `The public API should be running, but no server process serves it: ${why}. A new one is being started.`;
    const none = condition('NoWorkerServing', 'AllWorkersLost', message);
    return [...this.#pool.conditions, { ...none, since: new Date(since).toISOString() }];
  }

  get indexWasRead(): boolean {
    return this.#indexWasRead;
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
      // Of the content process, so each knows of the same ones.
      downloadsInProgress = Math.max(downloadsInProgress, activity.downloadsInProgress);
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
      .map((server) => server.serverMetrics)
      .reduce(addServerMetrics, { ...noServerMetrics, counts: this.#past.counts });
  }

  get losses(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#losses);
  }

  subscribe(listener: (event: PublicSideEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #setReady(ready: boolean): void {
    if (ready === this.#isReady) return;
    this.#isReady = ready;
    // A process that is still starting gets this at the end of its setup.
    for (const server of this.#pool.ready) void server.order({ type: 'ready', ready });
  }

  #spawn(number: number): ServerProcess {
    const { entry, workerTimeoutMs: timeoutMs, heartbeatMs, niceness, log } = this.#options;
    return new ServerProcess({
      number,
      files: [this.#sharedSettings.descriptor, this.#connections.descriptor],
      niceness,
      entry,
      timeoutMs,
      heartbeatMs,
      log,
      drained: (server, drain, cut) => {
        this.#drains.partEnded(drain, server, cut);
        this.#changed();
      },
      requests: ({ pid }, { lines, dropped }) => {
        for (const { error, ...line } of lines) {
          if (error === undefined) log.http?.({ pid, ...line }, 'public request');
          else log.warn({ pid, ...line, error }, 'a public request failed');
        }
        if (dropped > 0) log.warn({ pid, dropped }, 'public requests dropped from the log');
      },
    });
  }

  async #bringUp(server: ServerProcess): Promise<void> {
    const { startTimeoutMs, drainTimeoutMs } = this.#options;
    const order = {
      type: 'setup',
      setup: this.#setup,
      process: server.number,
      settings: this.#settings,
      drainTimeoutMs,
    } as const;
    const reply = await server.order(order, startTimeoutMs);
    if (reply.type === 'failed') server.kill('Faulty', `could not be set up: ${reply.reason}`);
    if (reply.type === 'confirmed' && reply.hasIndex) this.#noteIndex();
    // Another one may take its place before the answer.
    for (let sent: string | null = null; sent !== this.#indexId && server.alive; ) {
      sent = this.#indexId;
      await this.#sendIndex(server);
    }
    // A process that is started during the lame duck must report "not ready" too.
    if (!this.#isReady) void server.order({ type: 'ready', ready: false });
  }

  #onReady(server: ServerProcess): void {
    this.#options.log.info({ pid: server.pid }, 'server process ready');
    server.startHeartbeat();
    server.lowerPriority();
    this.#changed();
    void this.#serve(server);
  }

  /** While the port is open, a process that cannot serve it retries: another program may have taken the port for a while. */
  async #serve(server: ServerProcess): Promise<void> {
    const refusal = await this.#port.join(server);
    this.#changed(refusal?.words);
    if (refusal === null) return;
    this.#options.log.warn({ pid: server.pid }, `server process cannot serve: ${refusal.words}`);
    setTimeout(() => void this.#serve(server), this.#options.rejoinMs).unref();
  }

  #onGone(server: ServerProcess, { pid, at, reason, description, expected }: Departure): void {
    if (expected) this.#options.log.info({ pid }, `server process ${description}`);
    else {
      this.#options.log.warn({ pid, reason }, `server process ${description}`);
      const message = `Server process ${pid} ${description}`;
      this.#emit({ type: 'crash', report: { at: new Date(at).toISOString(), what: 'worker', pid, reason, message } });
    }
    this.#past.requests += server.activity.requests;
    this.#past.bytesSent += server.activity.bytesSent;
    this.#past.counts = addServerCounters(this.#past.counts, server.serverMetrics.counts);
    if (!expected) this.#losses.set(reason, (this.#losses.get(reason) ?? 0) + 1);
    this.#connections.clear(server.number);
    this.#drains.serverGone(server);
    this.#changed(`the last one ${description}`);
  }

  async #sendIndex(server: ServerProcess): Promise<void> {
    if (this.#indexId === null) return;
    const reply = await server.order({ type: 'index', id: this.#indexId });
    if (reply.type === 'failed') {
      this.#options.log.warn({ pid: server.pid }, `server process cannot read the index: ${reply.reason}`);
    }
  }

  #stateOf(server: ServerProcess): WorkerStatus['state'] {
    if (server.serving) return 'serving';
    if (this.#drains.has(server)) return 'draining';
    return server.ready ? 'idle' : 'starting';
  }

  /** @param reason why no process serves, if none does */
  #changed(reason?: string): void {
    const serving = !this.#port.isOpen || this.#pool.alive.some((server) => server.serving);
    if (serving) this.#noneServing = null;
    else {
      const { since = Date.now(), why = '' } = this.#noneServing ?? {};
      this.#noneServing = { since, why: reason ?? why };
    }
    this.#emit({ type: 'changed' });
  }

  #emit(event: PublicSideEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
