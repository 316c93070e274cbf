// The public port shared by many server processes: opens on all or none, closes on all, without losing connections.
import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drain } from '../../machines/node.ts';
import { type PortRefusal, portRefusal } from '../base/port-refusal.ts';
import type { Drains } from './drains.ts';
import type { ProcessPool } from './process-pool.ts';
import type { Reply, ServerOrder, ServerProcess } from './server-process.ts';
import type { SharedPort } from './supervised-process.ts';

export interface PublicPortOptions {
  readonly host: string;
  /** 0: a free port; it is used again at later openings unless another process has taken it. */
  readonly port: number;
  readonly workerTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly pool: ProcessPool<ServerProcess>;
  readonly drains: Drains;
  readonly onChange: () => void;
}

type GivingOrder = Extract<ServerOrder, { type: 'listen' | 'join' }>;

/** Attempts to open the port, each with another server process, if the process dies. */
const attempts = 3;

export class PublicPort {
  readonly #options: PublicPortOptions;
  /** Queue: opening and closing never overlap. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Openings that are queued or in progress. */
  readonly #openings = new Set<AbortController>();
  /** Null: closed or closing. */
  #open: number | null = null;
  /** The last open port, for a config with port 0. */
  #last = 0;
  /** Drains of openings that failed partway: the next close adopts them. */
  readonly #orphans = new Set<number>();

  constructor(options: PublicPortOptions) {
    this.#options = options;
  }

  /** Null: not open, and the config has port 0. */
  get number(): number | null {
    return this.#open ?? (this.#options.port === 0 ? null : this.#options.port);
  }

  get isOpen(): boolean {
    return this.#open !== null;
  }

  /**
   * @param patienceMs how long to retry while the port is in use
   * @throws {Error} with a reason for the operator, or the signal's; the port is then closed
   */
  open(patienceMs: number, signal?: AbortSignal): Promise<void> {
    const opening = new AbortController();
    this.#openings.add(opening);
    const either = signal ? AbortSignal.any([signal, opening.signal]) : opening.signal;
    return this.#inTurn(() => this.#openPatiently(patienceMs, either)).finally(() => this.#openings.delete(opening));
  }

  /** Resolves when connections are refused, with the drain of the open connections; null: there were none. */
  close(): Promise<Drain | null> {
    this.cancel('The public API is being closed');
    const { drains } = this.#options;
    return this.#inTurn(async () => {
      const drain = (await this.#closeAll()) ?? drains.latest(this.#orphans);
      if (drain === null) return null;
      drains.takeOver(drain.id, this.#orphans);
      this.#orphans.clear();
      // The caller must have the drain's number before its end is reported.
      setImmediate(() => drains.announce(drain.id));
      return drain;
    });
  }

  /** Aborts openings; from now on no server process joins the port. */
  cancel(why: string): void {
    this.#open = null;
    for (const opening of this.#openings) opening.abort(new Error(why));
  }

  /** Shares the open port with a server process that has become ready. Resolves with the reason if that fails; null: it serves, or need not. */
  join(server: ServerProcess): Promise<PortRefusal | null> {
    return this.#inTurn(async () => {
      const port = this.#open;
      if (port === null || server.holdsPort || !server.alive) return null;
      const failed = await this.#share([server], () => this.#open !== port);
      if (failed !== null) return { code: 'NOT_SHARED', words: failed };
      if (server.serving || !server.alive || this.#open !== port) return null;
      // No other process serves the port any more: open it again.
      const reply = await this.#give(server, { type: 'listen', host: this.#options.host, port });
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

  /** One server process opens the port, the others share it: a single accept queue, and a single point of failure. */
  async #tryOpen(signal: AbortSignal): Promise<PortRefusal | null> {
    const { pool, onChange } = this.#options;
    // A killed process holds the port until it has exited.
    await Promise.all(pool.alive.filter(({ ending }) => ending).map(({ gone }) => gone));
    const [first, reply] = await this.#firstToListen(signal);
    if (reply.type === 'failed') return this.#refusal(this.#options.port, reply);
    const others = pool.ready.filter((server) => server !== first);
    const failed = await this.#share(others, () => signal.aborted);
    const served = pool.alive.some((server) => server.serving);
    if (signal.aborted || failed || !served) {
      await this.#undo();
      signal.throwIfAborted();
      throw new Error(failed ?? 'All server processes died while the port was being opened');
    }
    this.#open = this.#last = reply.port ?? this.#options.port;
    for (const server of pool.ready) void this.join(server);
    onChange();
    return null;
  }

  async #firstToListen(
    signal: AbortSignal,
  ): Promise<[ServerProcess, Extract<Reply, { type: 'confirmed' | 'failed' }>]> {
    const { pool, host, port } = this.#options;
    let wanted = port || this.#last;
    for (let deaths = 0; deaths < attempts; ) {
      const server = await pool.someReady(signal);
      const reply = await this.#give(server, { type: 'listen', host, port: wanted });
      if (reply.type === 'failed' && wanted !== port) wanted = port;
      else if (reply.type === 'confirmed' || reply.type === 'failed') return [server, reply];
      else deaths += 1;
    }
    throw new Error(`The port could not be opened: ${attempts} server processes died while opening it`);
  }

  /**
   * Shares the port with these server processes. Resolves with the reason if one of them fails; null if all serve or have
   * died, or if no process has the port open.
   * @param givenUp checked once the port has been lent; true: it is not shared
   */
  async #share(servers: readonly ServerProcess[], givenUp: () => boolean): Promise<string | null> {
    if (servers.length === 0) return null;
    const lent = await this.#lent(givenUp);
    if (lent === null) return null;
    // This process must not accept connections: it closes its copy as soon as the last one is sent, in the same event loop turn.
    let unsent = servers.length;
    const sent = () => {
      unsent -= 1;
      if (unsent === 0) lent.close();
    };
    const shared = { server: lent, sent };
    const replies = await Promise.all(servers.map((server) => this.#give(server, { type: 'join' }, shared)));
    const failed = replies.find((reply) => reply.type === 'failed');
    return failed ? `A server process could not share the port: ${failed.reason}` : null;
  }

  /** The open port, from the first server process that lends it: all are asked, since any of them may hang. Null: none does. */
  #lent(givenUp: () => boolean): Promise<Server | null> {
    const lenders = this.#options.pool.alive.filter(({ serving }) => serving);
    return new Promise((resolve) => {
      let isSettled = false;
      const replies = lenders.map(async (lender) => {
        const reply = await lender.order({ type: 'lend' });
        if (reply.type !== 'lent' || reply.shared === undefined) return;
        if (isSettled || givenUp()) return void reply.shared.close();
        isSettled = true;
        resolve(reply.shared);
      });
      void Promise.all(replies).then(() => resolve(null));
    });
  }

  async #give(server: ServerProcess, order: GivingOrder, shared?: SharedPort): Promise<Reply> {
    server.holdsPort = true;
    const reply = await server.order(order, undefined, shared);
    server.serving = reply.type === 'confirmed';
    if (reply.type !== 'confirmed') server.holdsPort = false;
    return reply;
  }

  #refusal(port: number, { code, reason }: { readonly code: string; readonly reason: string }): PortRefusal {
    return portRefusal(this.#options.host, port, code, reason);
  }

  /** Connections accepted by an opening that failed partway are drained like any others. */
  async #undo(): Promise<void> {
    const drain = await this.#closeAll();
    if (drain === null) return;
    const { drains, drainTimeoutMs } = this.#options;
    this.#orphans.add(drain.id);
    drains.announce(drain.id);
    setTimeout(() => drains.cut(drain.id), drainTimeoutMs).unref();
  }

  /**
   * Closes every listener before any process sends `Connection: close`: otherwise clients of one process would reconnect into
   * the closing accept queue of another. A process that does not confirm is dead when this resolves, so connections are
   * refused in either case.
   */
  async #closeAll(): Promise<Drain | null> {
    const { pool, drains, drainTimeoutMs, onChange } = this.#options;
    const holders = pool.alive.filter(({ holdsPort }) => holdsPort);
    const id = drains.nextId();
    const confirmed = (await Promise.all(holders.map((server) => this.#orderClose(server, id)))).flat();
    // A process that had confirmed may have died since, and its connections with it.
    const closed = confirmed.filter(({ alive }) => alive);
    const drain = drains.begin(id, Date.now() + drainTimeoutMs, closed);
    for (const server of closed) void server.order({ type: 'drain', drain: id });
    const empty = drains.connectionsOf(id) === 0;
    if (empty) drains.remove(id);
    onChange();
    return empty ? null : drain;
  }

  /** Empty: the process died, and its connections with it. */
  async #orderClose(server: ServerProcess, drain: number): Promise<ServerProcess[]> {
    const reply = await server.order({ type: 'close', drain, withinMs: this.#options.workerTimeoutMs / 2 });
    server.serving = server.holdsPort = false;
    if (reply.type === 'confirmed') return [server];
    if (reply.type === 'failed') server.kill('Faulty', `could not close the port: ${reply.reason}`);
    await server.gone;
    return [];
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(step);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
