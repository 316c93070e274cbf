// The public side without processes: the same server in this process on a real port, with gates before its steps.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloseResult } from '../../machines/node.ts';
import type { Settings } from '../../machines/settings.ts';
import type { DatedCondition } from '../../src/base/condition.ts';
import { codeOf, messageOf } from '../../src/base/errors.ts';
import { portRefusal } from '../../src/base/port-refusal.ts';
import type { ActivityMetrics, PublicLimits } from '../../src/ipc/messages.ts';
import { noServerMetrics, type ServerMetrics } from '../../src/metrics/counters.ts';
import { PublicServer } from '../../src/public/public-server.ts';
import { dataObject } from '../../src/store/data-object.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { IndexWriter } from '../../src/store/object-index.ts';
import type { DrainStatus, PublicSide, PublicSideEvent, WorkerStatus } from '../../src/supervisor/public-side.ts';
import { BringingTwin } from './bringing-twin.ts';
import { Gate } from './gate.ts';

export const testLimits: PublicLimits = {
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 5000,
  stallTimeoutMs: 60_000,
  maxHeaderBytes: 16_384,
  maxBodyBytes: 1000,
  maxConnections: 0,
  maxPipelinedRequests: 100,
  idleGraceMs: 100,
  hotObjectsBytes: 1_000_000,
};

export interface TwinOptions {
  readonly port?: number;
  readonly drainTimeoutMs?: number;
  readonly limits?: Partial<PublicLimits>;
  /** How long a closing port may look out for who still comes. */
  readonly closeWithinMs?: number;
  /** Left out: one of its own. */
  readonly index?: IndexWriter;
}

export class PublicSideTwin implements PublicSide {
  /** What may be held or made to fail, by the name of the step. */
  readonly gates = { listen: new Gate(), close: new Gate(), configure: new Gate() };
  /** What is wrong, as a test wants it. */
  conditions: readonly DatedCondition[] = [];
  /** Why settings cannot be handed over, as a test wants it; null: they can. */
  cannotPrepare: string | null = null;
  /** What it serves; empty and never read at first. */
  readonly index: IndexWriter;
  /** Ids of the reported bad copies. */
  readonly badCopies: string[] = [];
  readonly #room: PublicServer;
  readonly #options: Required<Omit<TwinOptions, 'index'>>;
  readonly #listeners = new Set<(event: PublicSideEvent) => void>();
  readonly #openings = new Set<AbortController>();
  readonly #hidden = new Set<number>();
  #turn: Promise<unknown> = Promise.resolve();
  #open: number | null = null;
  #chosen = 0;
  #drains = 0;

  constructor(options: TwinOptions = {}) {
    this.index = options.index ?? memoryIndex({ kind: 'catalogue', name: '/catalogue.yaml' });
    this.#options = { port: 0, drainTimeoutMs: 60_000, limits: {}, closeWithinMs: 500, ...options };
    const limits = { ...testLimits, ...this.#options.limits };
    this.#room = new PublicServer(
      { id: 'twin', version: '0.0.0', limits },
      { workerId: null, buckets: null },
      {
        lookUps: {
          lookUp: async () => ({ result: 'undecided' }),
          reportBadCopy: (objectId) => void this.badCopies.push(objectId),
        },
        bringing: new BringingTwin(),
        openRange: async () => {
          throw new Error('There is no source');
        },
        dataObject,
      },
      {
        // As from another process: never within the call that caused it.
        drained: (id, cut) => setImmediate(() => this.#ended(id, cut)),
      },
    );
    this.#room.useIndex(this.index);
  }

  start(): void {
    this.#emit({ type: 'changed' });
  }

  prepare(): void {
    if (this.cannotPrepare !== null) throw new Error(this.cannotPrepare);
  }

  async configure(settings: Settings): Promise<void> {
    await this.gates.configure.pass();
    this.#room.configure(settings);
  }

  readonly hasIndex = Promise.resolve();
  readonly indexWasRead = true;

  /** It serves the one it was made with. */
  useIndex(): void {}

  listen({ patienceMs, signal }: { readonly patienceMs: number; readonly signal?: AbortSignal }): Promise<void> {
    const opening = new AbortController();
    this.#openings.add(opening);
    this.#room.isReady = true;
    const either = signal ? AbortSignal.any([signal, opening.signal]) : opening.signal;
    return this.#inTurn(() => this.#listen(patienceMs, either)).finally(() => this.#openings.delete(opening));
  }

  close(): Promise<CloseResult> {
    this.#abandon('The public API is being closed');
    return this.#inTurn(async () => {
      await this.gates.close.pass();
      return this.#close();
    });
  }

  retire(): void {
    this.#room.isReady = false;
  }

  cut(drain: number): void {
    this.#room.cut(drain);
  }

  kill(): void {
    void this.#inTurn(async () => {
      const port = this.#open;
      await this.#close();
      this.#cutAll();
      if (port !== null) this.#open = await this.#room.listen({ host: '127.0.0.1', port });
    });
  }

  async end(): Promise<void> {
    this.#abandon('Every server process was killed');
    await this.#inTurn(() => this.#close());
    this.#cutAll();
  }

  get workers(): readonly WorkerStatus[] {
    const state = this.#open !== null ? 'serving' : this.drain ? 'draining' : 'idle';
    return [{ pid: process.pid, state }];
  }

  get drain(): DrainStatus | null {
    const { drains } = this.activity;
    if (drains.length === 0) return null;
    return {
      connections: drains.reduce((sum, { connections }) => sum + connections, 0),
      bytesLeft: drains.reduce((sum, { bytesLeft }) => sum + bytesLeft, 0),
    };
  }

  get activity(): ActivityMetrics {
    return this.#room.activity;
  }

  get serverMetrics(): ServerMetrics {
    const { counts, connections } = this.#room.serverMetrics;
    return { ...noServerMetrics, counts: { ...noServerMetrics.counts, ...counts }, connections };
  }

  get losses(): Readonly<Record<string, number>> {
    return {};
  }

  get port(): number | null {
    return this.#open ?? (this.#options.port === 0 ? null : this.#options.port);
  }

  subscribe(listener: (event: PublicSideEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #listen(patienceMs: number, signal: AbortSignal): Promise<void> {
    await this.gates.listen.pass(signal);
    if (this.#open !== null) return;
    const until = performance.now() + patienceMs;
    const port = this.#options.port || this.#chosen;
    while (this.#open === null) {
      signal.throwIfAborted();
      try {
        this.#open = await this.#room.listen({ host: '127.0.0.1', port });
      } catch (error) {
        const { words } = portRefusal('127.0.0.1', port, codeOf(error) ?? '', messageOf(error));
        if (performance.now() >= until) throw new Error(words);
        await sleep(20, undefined, { signal }).catch(() => {});
      }
    }
    this.#chosen = this.#open;
    this.#emit({ type: 'changed' });
  }

  #cutAll(): void {
    for (const { drain } of this.activity.drains) this.#room.cut(drain);
  }

  async #close(): Promise<CloseResult> {
    if (this.#open === null) return { drain: null };
    this.#open = null;
    this.#drains += 1;
    const drain = { id: this.#drains, deadline: Date.now() + this.#options.drainTimeoutMs };
    await this.#room.close(drain.id, this.#options.closeWithinMs);
    const empty = this.activity.drains.every(({ drain: id, connections }) => id !== drain.id || connections === 0);
    if (empty) this.#hidden.add(drain.id);
    this.#room.drain(drain.id);
    this.#emit({ type: 'changed' });
    return { drain: empty ? null : drain };
  }

  #ended(id: number, cut: number): void {
    if (!this.#hidden.delete(id)) this.#emit({ type: 'drain.ended', id, cut });
    this.#emit({ type: 'changed' });
  }

  #abandon(why: string): void {
    for (const opening of this.#openings) opening.abort(new Error(why));
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #emit(event: PublicSideEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}
