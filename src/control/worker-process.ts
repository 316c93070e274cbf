// One public worker process: orders and their confirmation, its heartbeat, and its end.
import cluster, { type Worker } from 'node:cluster';
import type { Order, Report, WorkerFigures } from '../messages.ts';
import { lastWords } from './worker-output.ts';

/** The part of a logger that is used here (pino's order of arguments). */
export interface Logger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

/** How a process ended. */
export interface Departure {
  readonly pid: number;
  readonly at: number;
  /** One word: `SIGKILL`, `ExitCode1`, `Unresponsive`, `SpawnFailed`. */
  readonly reason: string;
  /** For a person, to stand after "Public worker 4711". */
  readonly words: string;
  /** It was told to end, so nothing is wrong. */
  readonly expected: boolean;
}

/** `gone`: the process ended before it could answer, so that whatever it held it holds no more. */
export type Reply =
  | Extract<Report, { type: 'confirmed' }>
  | Extract<Report, { type: 'failed' }>
  | { readonly type: 'gone'; readonly departure: Departure };

export interface WorkerEvents {
  readonly drained: (worker: WorkerProcess, drain: number, cut: number) => void;
  readonly doubt: (objectId: string) => void;
}

export interface WorkerOptions extends WorkerEvents {
  /** The worker's script. */
  readonly entry: string;
  /** A step that is not confirmed after this long is answered by killing the worker. */
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly log: Logger;
}

export type OrderBody<T = Order> = T extends unknown ? Omit<T, 'seq'> : never;

// The operating system hands out connections: the round-robin of node:cluster strands accepted ones at a stop.
cluster.schedulingPolicy = cluster.SCHED_NONE;

const noFigures: WorkerFigures = { requests: 0, bytesSent: 0, downloadsInProgress: 0, drains: [] };

export class WorkerProcess {
  /** Resolves when the process has exited and its channel is closed: only then has it let go of the port. */
  readonly gone: Promise<Departure>;
  /** It knows its settings and the directory. */
  ready = false;
  /** It has been ordered to listen and not yet confirmed to have closed. */
  holdsPort = false;
  /** It has confirmed that it listens. */
  serving = false;
  /** It gets no further work and leaves after its last drain. */
  retired = false;
  /** When it became ready, milliseconds since the epoch. */
  readyAt = Number.POSITIVE_INFINITY;
  readonly #options: WorkerOptions;
  #worker: Worker | undefined;
  #figures = noFigures;
  #seq = 0;
  /** Orders given before it can hear them; null: it can. */
  #early: Order[] | null = [];
  #waiting = new Map<number, (reply: Reply) => void>();
  #departure: Departure | undefined;
  #killedFor: { reason: string; words: string; expected: boolean } | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #words = () => '';

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      try {
        this.#worker = this.#spawn(resolve);
      } catch (error) {
        setImmediate(() => resolve(this.#depart('SpawnFailed', `could not be started: ${String(error)}`)));
      }
    });
  }

  /** 0: it could not be started. */
  get pid(): number {
    return this.#worker?.process.pid ?? 0;
  }

  get alive(): boolean {
    return this.#departure === undefined;
  }

  /** It has been told to end, and has not yet. */
  get ending(): boolean {
    return this.alive && this.#killedFor !== undefined;
  }

  /** As of its last answer. */
  get figures(): WorkerFigures {
    return this.#figures;
  }

  /** Give an order; orders arrive in the order of these calls. Never rejects: a worker that does not confirm in time is killed, and its end is the reply. */
  async order(body: OrderBody, timeoutMs = this.#options.timeoutMs): Promise<Reply> {
    if (this.#departure) return { type: 'gone', departure: this.#departure };
    const seq = ++this.#seq;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(seq, resolve));
    const late = setTimeout(() => this.#look(seq, body.type, timeoutMs), timeoutMs);
    this.#send({ ...body, seq } as Order);
    try {
      return await reply;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(seq);
    }
  }

  /** From now on it must answer a question every so often, or is killed. */
  startHeartbeat(): void {
    let asked = false;
    this.#heartbeat = setInterval(async () => {
      if (asked) return;
      asked = true;
      await this.order({ type: 'ping' });
      asked = false;
    }, this.#options.heartbeatMs);
    this.#heartbeat.unref();
  }

  /** End it at once, stopped or hung as it may be. */
  kill(reason: string, words: string, expected = false): void {
    this.#killedFor ??= { reason, words, expected };
    this.#worker?.process.kill('SIGKILL');
  }

  /** It has nothing left to do: let it exit. */
  async leave(): Promise<void> {
    this.#killedFor ??= { reason: 'Left', words: 'left when told to', expected: true };
    await this.order({ type: 'leave' });
  }

  #spawn(resolve: (departure: Departure) => void): Worker {
    cluster.setupPrimary({ exec: this.#options.entry, args: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const worker = cluster.fork(withoutSecrets());
    const { process: child } = worker;
    this.#words = lastWords(child, (line) => this.#options.log.warn({ pid: child.pid, line }, 'public worker printed'));
    worker.on('message', (report: Report) => this.#hear(report));
    let ended: { code: number | null; signal: string | null } | undefined;
    let connected = true;
    const settle = () => {
      if (ended !== undefined && !connected) resolve(this.#end(ended.code, ended.signal));
    };
    const forget = () => {
      if (!connected) return;
      connected = false;
      worker.disconnect();
      settle();
    };
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      settle();
      // Node never tells of the end of a channel on which a handle was under way, and cluster then keeps the port's handle
      // for a dead worker. What it has still said is read before that.
      if (connected) setTimeout(() => setImmediate(forget), 50);
    });
    child.once('disconnect', () => {
      connected = false;
      settle();
      // It cannot be steered any more. It closes its listener by itself, but nothing says that it still can.
      setTimeout(() => this.kill('ChannelClosed', 'had lost its channel'), this.#options.timeoutMs).unref();
    });
    // Where there is no process there will be no exit; other errors, as of a broken channel, are followed by one.
    worker.on('error', (error: unknown) => {
      if (child.pid === undefined) resolve(this.#depart('SpawnFailed', `could not be started: ${String(error)}`));
    });
    return worker;
  }

  #send(order: Order): void {
    const worker = this.#worker;
    if (this.#early) this.#early.push(order);
    else if (worker?.isConnected()) worker.process.send(order, undefined, undefined, () => {});
  }

  #hear(report: Report): void {
    switch (report.type) {
      case 'hello': {
        const early = this.#early ?? [];
        this.#early = null;
        for (const order of early) this.#send(order);
        return;
      }
      case 'drained':
        this.#options.drained(this, report.drain, report.cut);
        return;
      case 'doubt':
        this.#options.doubt(report.objectId);
        return;
      default:
        if (report.type === 'confirmed' && report.figures) this.#figures = report.figures;
        this.#waiting.get(report.seq)?.(report);
    }
  }

  /** If this process was stopped or busy itself, the answer may have come and not been read: that is done first. */
  #look(seq: number, step: string, timeoutMs: number): void {
    setImmediate(() =>
      setImmediate(() => {
        if (!this.#waiting.has(seq)) return;
        this.kill('Unresponsive', `did not answer "${step}" within ${timeoutMs} ms and was killed`);
      }),
    );
  }

  #end(code: number | null, signal: string | null): Departure {
    if (this.#killedFor) return this.#depart(this.#killedFor.reason, this.#killedFor.words, this.#killedFor.expected);
    const words = this.#words();
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    return this.#depart(signal ?? `ExitCode${code}`, words === '' ? how : `${how}: ${words}`);
  }

  #depart(reason: string, words: string, expected = false): Departure {
    clearInterval(this.#heartbeat);
    this.ready = this.serving = this.holdsPort = false;
    const departure = this.#departure ?? { pid: this.pid, at: Date.now(), reason, words, expected };
    this.#departure = departure;
    for (const answer of this.#waiting.values()) answer({ type: 'gone', departure });
    return departure;
  }
}

/** What faces the public must not know how the operator signs. */
function withoutSecrets(): Record<string, undefined> {
  return Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /secret/i.test(name))
      .map((name) => [name, undefined]),
  );
}
