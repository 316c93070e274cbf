// One public worker process: orders and their confirmation, its heartbeat, and its end.
import { type ChildProcess, fork } from 'node:child_process';
import type { Server } from 'node:net';
import { setPriority } from 'node:os';
import type { ActivityMetrics, Order, Report, RequestsReport } from '../ipc/messages.ts';
import { noServerMetrics, type ServerMetrics } from '../metrics/counters.ts';
import { workerEnvironment } from './server-environment.ts';
import { lastWords } from './server-output.ts';

/** The part of a logger that is used here (pino's order of arguments). */
export interface Logger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  /** One line for each request; left out: none. */
  http?(facts: object, message: string): void;
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
  /** The port accepts in this process until it is closed here. */
  | { readonly type: 'lent'; readonly shared: Server }
  | Extract<Report, { type: 'failed' }>
  | { readonly type: 'gone'; readonly departure: Departure };

export interface WorkerEvents {
  readonly drained: (worker: WorkerProcess, drain: number, cut: number) => void;
  readonly doubt: (objectId: string) => void;
  readonly requests: (worker: WorkerProcess, report: RequestsReport) => void;
}

export interface WorkerOptions extends WorkerEvents {
  /** The worker's script. */
  readonly entry: string;
  /** Its number among the workers, from 0. */
  readonly number: number;
  /** The files that it shares, open in this process; it finds them behind its three streams and its channel. */
  readonly files: readonly number[];
  /** How far it stands back behind the control process, as `nice` counts. */
  readonly niceness: number;
  /** A step that is not confirmed after this long is answered by killing the worker. */
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly log: Logger;
}

/** An open port to go with an order; `sent` is called once, when it is on its way or never will be. */
export interface SharedPort {
  readonly server: Server;
  readonly sent: () => void;
}

export type OrderBody<T = Order> = T extends unknown ? Omit<T, 'seq'> : never;

const noActivity: ActivityMetrics = { requests: 0, bytesSent: 0, downloadsInProgress: 0, drains: [] };

export class WorkerProcess {
  /** Resolves when the process has exited and its channel is closed: only then has it let go of the port. */
  readonly gone: Promise<Departure>;
  /** It knows its settings and the directory. */
  ready = false;
  /** It has been ordered to listen and not yet confirmed to have closed. */
  holdsPort = false;
  /** It has confirmed that it listens. */
  serving = false;
  /** When it became ready, by the clock of `performance.now()`. */
  readyAt = Number.POSITIVE_INFINITY;
  readonly #options: WorkerOptions;
  #child: ChildProcess | undefined;
  #activity = noActivity;
  #serverMetrics = noServerMetrics;
  #seq = 0;
  /** Orders given before it can hear them; null: it can. */
  #early: (() => void)[] | null = [];
  #waiting = new Map<number, (reply: Reply) => void>();
  #departure: Departure | undefined;
  #killedFor: { reason: string; words: string; expected: boolean } | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #words = () => '';

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      try {
        this.#child = this.#spawn(resolve);
      } catch (error) {
        setImmediate(() => resolve(this.#depart('SpawnFailed', `could not be started: ${String(error)}`)));
      }
    });
  }

  get number(): number {
    return this.#options.number;
  }

  /** 0: it could not be started. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get alive(): boolean {
    return this.#departure === undefined;
  }

  /** It has been told to end, and has not yet. */
  get ending(): boolean {
    return this.alive && this.#killedFor !== undefined;
  }

  /** As of its last answer. */
  get activity(): ActivityMetrics {
    return this.#activity;
  }

  /** As of its last heartbeat. */
  get serverMetrics(): ServerMetrics {
    return this.#serverMetrics;
  }

  /** Give an order; orders arrive in the order of these calls. Never rejects: a worker that does not confirm in time is killed, and its end is the reply. */
  async order(body: OrderBody, timeoutMs = this.#options.timeoutMs, shared?: SharedPort): Promise<Reply> {
    if (this.#departure) {
      shared?.sent();
      return { type: 'gone', departure: this.#departure };
    }
    const seq = ++this.#seq;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(seq, resolve));
    const late = setTimeout(() => this.#look(seq, body.type, timeoutMs), timeoutMs);
    this.#send({ ...body, seq } as Order, shared);
    try {
      return await reply;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(seq);
    }
  }

  /** However busy it will be, from now on the operator gets through first. */
  standBack(): void {
    const { pid } = this;
    try {
      if (this.alive) setPriority(pid, this.#options.niceness);
    } catch (err) {
      this.#options.log.warn({ pid, err }, 'public worker keeps its priority');
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
    this.#child?.kill('SIGKILL');
  }

  /** It has nothing left to do: let it exit. */
  async leave(): Promise<void> {
    this.#killedFor ??= { reason: 'Left', words: 'left when told to', expected: true };
    await this.order({ type: 'leave' });
  }

  #spawn(resolve: (departure: Departure) => void): ChildProcess {
    const { entry, files } = this.#options;
    const child = fork(entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', ...files],
      env: workerEnvironment(process.env),
    });
    this.#words = lastWords(child, (line) => this.#options.log.warn({ pid: child.pid, line }, 'public worker printed'));
    child.on('message', (report: Report, shared: Server | undefined) => this.#hear(report, shared));
    let ended: { code: number | null; signal: string | null } | undefined;
    let connected = true;
    const settle = () => {
      if (ended !== undefined && !connected) resolve(this.#end(ended.code, ended.signal));
    };
    const disconnected = () => {
      connected = false;
      settle();
    };
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      settle();
      // What it has still said is heard first. Node does not tell of the end of a channel with a handle on its way.
      setTimeout(() => setImmediate(disconnected), 50);
    });
    child.once('disconnect', () => {
      disconnected();
      // It cannot be steered any more. It closes its listener by itself, but nothing says that it still can.
      setTimeout(() => this.kill('ChannelClosed', 'had lost its channel'), this.#options.timeoutMs).unref();
    });
    // Where there is no process there will be no exit; other errors, as of a broken channel, are followed by one.
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(this.#depart('SpawnFailed', `could not be started: ${error.message}`));
    });
    return child;
  }

  #send(order: Order, shared?: SharedPort): void {
    if (this.#early) this.#early.push(() => this.#send(order, shared));
    else if (this.#child?.connected) this.#child.send(order, shared?.server, undefined, () => shared?.sent());
    else shared?.sent();
  }

  #hear(report: Report, shared?: Server): void {
    switch (report.type) {
      case 'hello': {
        const early = this.#early ?? [];
        this.#early = null;
        for (const send of early) send();
        return;
      }
      case 'drained':
        this.#options.drained(this, report.drain, report.cut);
        return;
      case 'doubt':
        this.#options.doubt(report.objectId);
        return;
      case 'requests':
        this.#options.requests(this, report);
        return;
      case 'lent': {
        const answer = this.#waiting.get(report.seq);
        if (shared && answer) answer({ type: 'lent', shared });
        else shared?.close();
        return;
      }
      default:
        if (report.type === 'confirmed' && report.activity) this.#activity = report.activity;
        if (report.type === 'confirmed' && report.serverMetrics) this.#serverMetrics = report.serverMetrics;
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
