// The public port in the hands of many workers: opens it on all of them or none, closes it on all, in the order that loses nothing.
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drain } from '../../machines/node.ts';
import { type PortRefusal, portRefusal } from '../base/port-refusal.ts';
import type { Drains } from './drains.ts';
import type { ProcessPool } from './process-pool.ts';
import type { OrderBody, Reply, SharedPort, WorkerProcess } from './server-process.ts';

export interface PublicPortOptions {
  readonly host: string;
  /** 0: one that is free, and the same one at later openings unless somebody has taken it. */
  readonly port: number;
  readonly workerTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly pool: ProcessPool;
  readonly drains: Drains;
  readonly onChange: () => void;
}

type GivingOrder = Extract<OrderBody, { type: 'listen' | 'join' }>;

/** So often an opening is tried with another worker when one died over it. */
const attempts = 3;

export class PublicPort {
  readonly #options: PublicPortOptions;
  /** Opening and closing go one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Openings that wait or are under way. */
  readonly #openings = new Set<AbortController>();
  /** Null: not open, or being closed. */
  #open: number | null = null;
  /** Where the config says 0: the one that was last open. */
  #last = 0;
  /** The drains of openings that failed half-way: the next close takes them over. */
  readonly #orphans = new Set<number>();

  constructor(options: PublicPortOptions) {
    this.#options = options;
  }

  /** Null: not open, and the config says 0. */
  get number(): number | null {
    return this.#open ?? (this.#options.port === 0 ? null : this.#options.port);
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  /**
   * @param patienceMs how long a port that is taken is tried again
   * @throws {Error} with the operator's reason, or the signal's; nothing is open then
   */
  open(patienceMs: number, signal?: AbortSignal): Promise<void> {
    const opening = new AbortController();
    this.#openings.add(opening);
    const either = signal ? AbortSignal.any([signal, opening.signal]) : opening.signal;
    return this.#inTurn(() => this.#openPatiently(patienceMs, either)).finally(() => this.#openings.delete(opening));
  }

  /** Resolves when the port refuses, with the drain left behind; null: nothing was under way. */
  close(): Promise<Drain | null> {
    this.forget('The public API is being closed');
    const { drains } = this.#options;
    return this.#inTurn(async () => {
      const drain = (await this.#closeAll()) ?? drains.latest(this.#orphans);
      if (drain === null) return null;
      drains.takeOver(drain.id, this.#orphans);
      this.#orphans.clear();
      // Its end may be told only when the caller knows its number.
      setImmediate(() => drains.announce(drain.id));
      return drain;
    });
  }

  /** From now on no worker joins the port, and none opens it. */
  forget(why: string): void {
    this.#open = null;
    for (const opening of this.#openings) opening.abort(new Error(why));
  }

  /** A worker that became ready while the port is open serves it too. Resolves with why it cannot; null: it does, or need not. */
  join(worker: WorkerProcess): Promise<PortRefusal | null> {
    return this.#inTurn(async () => {
      const port = this.#open;
      if (port === null || worker.holdsPort || !worker.alive) return null;
      const failed = await this.#share([worker], () => this.#open !== port);
      if (failed !== null) return { code: 'NOT_SHARED', words: failed };
      if (worker.serving || !worker.alive || this.#open !== port) return null;
      // Nobody is left to share with: the port is opened anew.
      const reply = await this.#give(worker, { type: 'listen', host: this.#options.host, port });
      return reply.type === 'failed' ? this.#refusal(port, reply) : null;
    });
  }

  async #openPatiently(patienceMs: number, signal: AbortSignal): Promise<void> {
    if (this.#open !== null) return;
    const patientUntil = performance.now() + patienceMs;
    for (let pause = 50; ; pause = Math.min(pause * 2, 500)) {
      signal.throwIfAborted();
      const refusal = await this.#tryOpen(signal);
      if (refusal === null) return;
      const left = patientUntil - performance.now();
      if (refusal.code !== 'EADDRINUSE' || left <= 0) throw new Error(refusal.words);
      await sleep(Math.min(pause, left), undefined, { signal }).catch(() => {});
    }
  }

  /** One worker opens the port, the others share it: so there is one queue of connections, and one place to fail. */
  async #tryOpen(signal: AbortSignal): Promise<PortRefusal | null> {
    const { pool, onChange } = this.#options;
    // Who is being killed holds the port until it is dead.
    await Promise.all(pool.alive.filter(({ ending }) => ending).map(({ gone }) => gone));
    const [first, reply] = await this.#firstToListen(signal);
    if (reply.type === 'failed') return this.#refusal(this.#options.port, reply);
    const others = pool.ready.filter((worker) => worker !== first);
    const failed = await this.#share(others, () => signal.aborted);
    const served = pool.alive.some((worker) => worker.serving);
    if (signal.aborted || failed || !served) {
      await this.#undo();
      signal.throwIfAborted();
      throw new Error(failed ?? 'Every public worker died while the port was being opened');
    }
    this.#open = this.#last = reply.port ?? this.#options.port;
    for (const worker of pool.ready) void this.join(worker);
    onChange();
    return null;
  }

  async #firstToListen(signal: AbortSignal): Promise<[WorkerProcess, Extract<Reply, { seq: number }>]> {
    const { pool, host, port } = this.#options;
    let wanted = port || this.#last;
    for (let deaths = 0; deaths < attempts; ) {
      const worker = await pool.someReady(signal);
      const reply = await this.#give(worker, { type: 'listen', host, port: wanted });
      if (reply.type === 'failed' && wanted !== port) wanted = port;
      else if (reply.type === 'confirmed' || reply.type === 'failed') return [worker, reply];
      else deaths += 1;
    }
    throw new Error(`No public worker lived to open the port; ${attempts} have died over it`);
  }

  /**
   * Have these workers serve the port that others serve already. Resolves with why one of them cannot, null where all do,
   * have died, or there is none to share with.
   * @param givenUp asked once the port has been lent; if so, none of them is given it
   */
  async #share(workers: readonly WorkerProcess[], givenUp: () => boolean): Promise<string | null> {
    if (workers.length === 0) return null;
    const lent = await this.#lent(givenUp);
    if (lent === null) return null;
    // It must not accept here: all of this happens before the event loop turns, and ends with the last copy sent.
    let unsent = workers.length;
    const sent = () => {
      unsent -= 1;
      if (unsent === 0) lent.close();
    };
    const shared = { server: lent, sent };
    const replies = await Promise.all(workers.map((worker) => this.#give(worker, { type: 'join' }, shared)));
    const failed = replies.find((reply) => reply.type === 'failed');
    return failed ? `A public worker could not share the port: ${failed.reason}` : null;
  }

  /** The open port, of the first worker that lends it: every one is asked, for any of them may hang. Null: none does. */
  #lent(givenUp: () => boolean): Promise<Server | null> {
    const lenders = this.#options.pool.alive.filter(({ serving }) => serving);
    return new Promise((resolve) => {
      let isSettled = false;
      const replies = lenders.map(async (lender) => {
        const reply = await lender.order({ type: 'lend' });
        if (reply.type !== 'lent') return;
        if (isSettled || givenUp()) return void reply.shared.close();
        isSettled = true;
        resolve(reply.shared);
      });
      void Promise.all(replies).then(() => resolve(null));
    });
  }

  async #give(worker: WorkerProcess, order: GivingOrder, shared?: SharedPort): Promise<Reply> {
    worker.holdsPort = true;
    const reply = await worker.order(order, undefined, shared);
    worker.serving = reply.type === 'confirmed';
    if (reply.type !== 'confirmed') worker.holdsPort = false;
    return reply;
  }

  #refusal(port: number, { code, reason }: { readonly code: string; readonly reason: string }): PortRefusal {
    return portRefusal(this.#options.host, port, code, reason);
  }

  /** What was accepted by an opening that failed half-way is let end like any other connection. */
  async #undo(): Promise<void> {
    const drain = await this.#closeAll();
    if (drain === null) return;
    const { drains, drainTimeoutMs } = this.#options;
    this.#orphans.add(drain.id);
    drains.announce(drain.id);
    setTimeout(() => drains.cut(drain.id), drainTimeoutMs).unref();
  }

  /**
   * First every listener is closed, and only then anybody is told to say `Connection: close`: else the clients of one
   * worker would connect anew into the closing queue of another. A worker that does not confirm is dead when this
   * resolves, so the port refuses either way.
   */
  async #closeAll(): Promise<Drain | null> {
    const { pool, drains, drainTimeoutMs, onChange } = this.#options;
    const holders = pool.alive.filter(({ holdsPort }) => holdsPort);
    const id = drains.nextId();
    const confirmed = (await Promise.all(holders.map((worker) => this.#orderClose(worker, id)))).flat();
    // While others were waited for, one that had confirmed may have died, and its connections with it.
    const closed = confirmed.filter(({ alive }) => alive);
    const drain = drains.begin(id, Date.now() + drainTimeoutMs, closed);
    for (const worker of closed) void worker.order({ type: 'drain', drain: id });
    const empty = drains.connectionsOf(id) === 0;
    if (empty) drains.forget(id);
    onChange();
    return empty ? null : drain;
  }

  /** Empty: it died over it, and its connections with it. */
  async #orderClose(worker: WorkerProcess, drain: number): Promise<WorkerProcess[]> {
    const reply = await worker.order({ type: 'close', drain, withinMs: this.#options.workerTimeoutMs / 2 });
    worker.serving = worker.holdsPort = false;
    if (reply.type === 'confirmed') return [worker];
    if (reply.type === 'failed') worker.kill('Faulty', `could not close the port: ${reply.reason}`);
    await worker.gone;
    return [];
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
