// The public port in the hands of many workers: opens it on all of them or none, closes it on all, in the order that loses nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drain } from '../../machines/node.ts';
import { codeOf, messageOf } from '../errors.ts';
import type { Crew } from './crew.ts';
import type { Drains } from './drains.ts';
import { freePort, type PortRefusal, portRefusal, probePort } from './port.ts';
import type { Reply, WorkerProcess } from './worker-process.ts';

export interface PublicPortOptions {
  readonly host: string;
  /** 0: a free one is chosen, and chosen again at the next opening unless somebody has taken it. */
  readonly port: number;
  readonly drainTimeoutMs: number;
  readonly crew: Crew;
  readonly drains: Drains;
  readonly onChange: () => void;
}

/** So often an opening is tried with another worker when one died over it. */
const attempts = 3;

export class PublicPort {
  readonly #options: PublicPortOptions;
  /** Opening and closing go one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Openings that wait or are under way. */
  readonly #openings = new Set<AbortController>();
  /** Null: not open. */
  #open: number | null = null;
  #chosen = 0;
  /** The drain of an opening that failed half-way: whoever closes next is told of it. */
  #orphan = 0;

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
    this.abandon('The public API is being closed');
    return this.#inTurn(async () => {
      const drain = (await this.#closeAll()) ?? this.#options.drains.find(this.#orphan);
      if (drain?.id === this.#orphan) this.#orphan = 0;
      // Its end may be told only when the caller knows its number.
      if (drain) setImmediate(() => this.#options.drains.announce(drain.id));
      return drain;
    });
  }

  /** Nothing is to be opened any more, and who holds the port is about to be killed. */
  forget(why: string): void {
    this.abandon(why);
    this.#open = null;
  }

  abandon(why: string): void {
    for (const opening of this.#openings) opening.abort(new Error(why));
  }

  /** A worker that became ready while the port is open listens too. Resolves with why it cannot; null: it does, or need not. */
  join(worker: WorkerProcess): Promise<PortRefusal | null> {
    return this.#inTurn(async () => {
      const port = this.#open;
      if (port === null || worker.holdsPort || worker.retired || !worker.alive) return null;
      const reply = await this.#orderListen(worker, port);
      if (reply.type !== 'failed') return null;
      this.#options.crew.retire(worker, 'later');
      return portRefusal(this.#options.host, port, reply.code, reply.reason);
    });
  }

  async #openPatiently(patienceMs: number, signal: AbortSignal): Promise<void> {
    if (this.#open !== null) return;
    const patientUntil = Date.now() + patienceMs;
    for (let pause = 50; ; pause = Math.min(pause * 2, 500)) {
      signal.throwIfAborted();
      const refusal = await this.#tryOpen(signal);
      if (refusal === null) return;
      const left = patientUntil - Date.now();
      if (refusal.code !== 'EADDRINUSE' || left <= 0) throw new Error(refusal.words);
      await sleep(Math.min(pause, left), undefined, { signal }).catch(() => {});
    }
  }

  /** One worker first, the others after it: they share the handle that it was given. */
  async #tryOpen(signal: AbortSignal): Promise<PortRefusal | null> {
    const { host, crew } = this.#options;
    // What they still hold of the port would be handed to their successors.
    await Promise.all(crew.alive.filter(({ ending }) => ending).map(({ gone }) => gone));
    const port = await this.#choose();
    if (typeof port !== 'number') return port;
    const [first, reply] = await this.#firstToListen(port, signal);
    if (reply.type === 'failed') {
      crew.retire(first, 'now');
      return portRefusal(host, port, reply.code, reply.reason);
    }
    const others = crew.ready.filter((worker) => worker !== first);
    const replies = await Promise.all(others.map((worker) => this.#orderListen(worker, port)));
    for (const [at, worker] of others.entries()) if (replies[at]?.type === 'failed') crew.retire(worker, 'now');
    const failed = replies.find((one) => one.type === 'failed');
    const served = crew.alive.some((worker) => worker.serving);
    if (signal.aborted || failed || !served) {
      await this.#undo();
      signal.throwIfAborted();
      if (!failed) throw new Error('Every public worker died while the port was being opened');
      return portRefusal(host, port, failed.code, failed.reason);
    }
    this.#open = this.#chosen = port;
    for (const worker of crew.ready) void this.join(worker);
    this.#options.onChange();
    return null;
  }

  async #firstToListen(port: number, signal: AbortSignal): Promise<[WorkerProcess, Exclude<Reply, { type: 'gone' }>]> {
    for (let attempt = 1; ; attempt += 1) {
      const worker = await this.#options.crew.someReady(signal);
      const reply = await this.#orderListen(worker, port);
      if (reply.type !== 'gone') return [worker, reply];
      if (attempt === attempts) throw new Error(`No public worker could open the port: one ${reply.departure.words}`);
    }
  }

  /**
   * A worker whose listen fails has to be retired: node:cluster counts its attempts at a port, and from then on it would
   * ask for another handle than the others. So the port is looked at beforehand, and this is for what changes meanwhile.
   */
  async #orderListen(worker: WorkerProcess, port: number): Promise<Reply> {
    worker.holdsPort = true;
    const reply = await worker.order({ type: 'listen', host: this.#options.host, port });
    worker.serving = reply.type === 'confirmed';
    if (reply.type === 'failed') worker.holdsPort = false;
    return reply;
  }

  async #choose(): Promise<number | PortRefusal> {
    const { host, port } = this.#options;
    if (port !== 0) return (await probePort(host, port)) ?? port;
    if (this.#chosen !== 0 && (await probePort(host, this.#chosen)) === null) return this.#chosen;
    return freePort(host).catch((error: unknown) =>
      portRefusal(host, port, codeOf(error) ?? 'UNKNOWN', messageOf(error)),
    );
  }

  /** What was accepted by an opening that failed half-way is let end like any other connection. */
  async #undo(): Promise<void> {
    const drain = await this.#closeAll();
    if (drain === null) return;
    const { drains } = this.#options;
    this.#orphan = drain.id;
    drains.announce(drain.id);
    setTimeout(() => drains.cut(drain.id), drain.deadline - Date.now()).unref();
  }

  /**
   * First every listener is closed, and only then anybody is told to say `Connection: close`: else the clients of one
   * worker would connect anew into the closing queue of another. A worker that does not confirm is dead when this
   * resolves, so the port refuses either way.
   */
  async #closeAll(): Promise<Drain | null> {
    const { crew, drains, drainTimeoutMs, onChange } = this.#options;
    this.#open = null;
    const holders = crew.alive.filter(({ holdsPort }) => holdsPort);
    const id = drains.nextId();
    const closed = (await Promise.all(holders.map((worker) => this.#orderClose(worker, id)))).flat();
    const drain = drains.begin(id, Date.now() + drainTimeoutMs, closed);
    for (const worker of closed) void worker.order({ type: 'drain', drain: id });
    const empty = drains.connectionsOf(id) === 0;
    if (empty) drains.forget(id);
    onChange();
    return empty ? null : drain;
  }

  /** Empty: it died over it, and its connections with it. */
  async #orderClose(worker: WorkerProcess, drain: number): Promise<WorkerProcess[]> {
    const reply = await worker.order({ type: 'close', drain });
    worker.serving = worker.holdsPort = false;
    if (reply.type === 'confirmed' && worker.alive) return [worker];
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
