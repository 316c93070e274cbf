// One server process of the public API: orders and their confirmation, its heartbeat, and its exit.
import { type ChildProcess, fork } from 'node:child_process';
import type { Server } from 'node:net';
import { setPriority } from 'node:os';
import type { ActivityMetrics, Order, Report, RequestsReport } from '../ipc/messages.ts';
import { noServerMetrics, type ServerMetrics } from '../metrics/counters.ts';
import { serverEnvironment } from './server-environment.ts';
import { lastErrorLine } from './server-output.ts';

/** The part of a logger that is used here (pino's order of arguments). */
export interface Logger {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  /** One line per request; left out: none. */
  http?(facts: object, message: string): void;
}

/** How a process ended. */
export interface Departure {
  readonly pid: number;
  readonly at: number;
  /** One word: `SIGKILL`, `ExitCode1`, `Unresponsive`, `SpawnFailed`. */
  readonly reason: string;
  /** For people, to follow "Server process 4711". */
  readonly description: string;
  /** It was ordered to exit. */
  readonly expected: boolean;
}

/** `gone`: the process exited before it could reply, so it no longer holds the port or connections. */
export type Reply =
  | Extract<Report, { type: 'confirmed' }>
  /** This process accepts connections until it closes the port here. */
  | { readonly type: 'lent'; readonly shared: Server }
  | Extract<Report, { type: 'failed' }>
  | { readonly type: 'gone'; readonly departure: Departure };

export interface ServerProcessEvents {
  readonly drained: (server: ServerProcess, drain: number, cut: number) => void;
  readonly badCopy: (objectId: string) => void;
  readonly requests: (server: ServerProcess, report: RequestsReport) => void;
}

export interface ServerProcessOptions extends ServerProcessEvents {
  /** The script that it runs. */
  readonly entry: string;
  /** Its number among the server processes, from 0. */
  readonly number: number;
  /** Descriptors of the shared files; the process inherits them after its three streams and the IPC channel. */
  readonly files: readonly number[];
  /** Its niceness. */
  readonly niceness: number;
  /** Timeout of an order: a process that does not confirm in time is killed. */
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly log: Logger;
}

/** An open port to send with an order; `sent` is called once, when it has been sent or cannot be. */
export interface SharedPort {
  readonly server: Server;
  readonly sent: () => void;
}

export type OrderBody<T = Order> = T extends unknown ? Omit<T, 'seq'> : never;

const noActivity: ActivityMetrics = { requests: 0, bytesSent: 0, downloadsInProgress: 0, drains: [] };

export class ServerProcess {
  /** Resolves when the process has exited and its channel is closed: only then has it released the port. */
  readonly gone: Promise<Departure>;
  /** It has the settings and the directory. */
  ready = false;
  /** It has been ordered to listen, and has not yet confirmed a close. */
  holdsPort = false;
  /** It has confirmed that it listens. */
  serving = false;
  /** When it became ready, by the clock of `performance.now()`. */
  readyAt = Number.POSITIVE_INFINITY;
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #activity = noActivity;
  #serverMetrics = noServerMetrics;
  #seq = 0;
  /** Orders queued until it can receive them; null: it can. */
  #early: (() => void)[] | null = [];
  #waiting = new Map<number, (reply: Reply) => void>();
  #departure: Departure | undefined;
  #killedFor: { reason: string; description: string; expected: boolean } | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #lastError = () => '';

  constructor(options: ServerProcessOptions) {
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

  /** 0: the process could not be started. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get alive(): boolean {
    return this.#departure === undefined;
  }

  /** It has been ordered to exit or killed, and has not exited yet. */
  get ending(): boolean {
    return this.alive && this.#killedFor !== undefined;
  }

  /** As of its last confirmation. */
  get activity(): ActivityMetrics {
    return this.#activity;
  }

  /** As of its last heartbeat. */
  get serverMetrics(): ServerMetrics {
    return this.#serverMetrics;
  }

  /** Sends an order; orders arrive in the order of these calls. Never rejects: a process that does not confirm in time is killed, and the reply is `gone`. */
  async order(body: OrderBody, timeoutMs = this.#options.timeoutMs, shared?: SharedPort): Promise<Reply> {
    if (this.#departure) {
      shared?.sent();
      return { type: 'gone', departure: this.#departure };
    }
    const seq = ++this.#seq;
    const reply = new Promise<Reply>((resolve) => this.#waiting.set(seq, resolve));
    const late = setTimeout(() => this.#timedOut(seq, body.type, timeoutMs), timeoutMs);
    this.#send({ ...body, seq } as Order, shared);
    try {
      return await reply;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(seq);
    }
  }

  /** From now on the control process, and so the operator API, has priority over it. */
  lowerPriority(): void {
    const { pid } = this;
    try {
      if (this.alive) setPriority(pid, this.#options.niceness);
    } catch (err) {
      this.#options.log.warn({ pid, err }, 'the priority of a server process could not be lowered');
    }
  }

  /** From now on it must answer a periodic ping, or is killed. */
  startHeartbeat(): void {
    let isPending = false;
    this.#heartbeat = setInterval(async () => {
      if (isPending) return;
      isPending = true;
      await this.order({ type: 'ping' });
      isPending = false;
    }, this.#options.heartbeatMs);
    this.#heartbeat.unref();
  }

  /** Kills it at once, even if it is stopped or hung. */
  kill(reason: string, description: string, expected = false): void {
    this.#killedFor ??= { reason, description, expected };
    this.#child?.kill('SIGKILL');
  }

  /** Orders it to exit: it has no work left. */
  async leave(): Promise<void> {
    this.#killedFor ??= { reason: 'Left', description: 'exited as ordered', expected: true };
    await this.order({ type: 'leave' });
  }

  #spawn(resolve: (departure: Departure) => void): ChildProcess {
    const { entry, files } = this.#options;
    const child = fork(entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', ...files],
      env: serverEnvironment(process.env),
    });
    this.#lastError = lastErrorLine(child, (line) =>
      this.#options.log.warn({ pid: child.pid, line }, 'output of a server process'),
    );
    child.on('message', (report: Report, shared: Server | undefined) => this.#receive(report, shared));
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
      // Wait for its last messages. Node emits no `disconnect` when a handle was in transit.
      setTimeout(() => setImmediate(disconnected), 50);
    });
    child.once('disconnect', () => {
      disconnected();
      // It can no longer be controlled. It should close its listener and exit by itself, but it may hang.
      setTimeout(
        () => this.kill('ChannelClosed', 'lost its IPC channel and was killed'),
        this.#options.timeoutMs,
      ).unref();
    });
    // A process that did not start emits no `exit`; after any other error, such as a broken channel, `exit` follows.
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

  #receive(report: Report, shared?: Server): void {
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
      case 'badCopy':
        this.#options.badCopy(report.objectId);
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

  /** If this process itself was stopped or busy, the reply may have arrived unread: read it before killing. */
  #timedOut(seq: number, step: string, timeoutMs: number): void {
    setImmediate(() =>
      setImmediate(() => {
        if (!this.#waiting.has(seq)) return;
        this.kill('Unresponsive', `did not answer "${step}" within ${timeoutMs} ms and was killed`);
      }),
    );
  }

  #end(code: number | null, signal: string | null): Departure {
    if (this.#killedFor) {
      return this.#depart(this.#killedFor.reason, this.#killedFor.description, this.#killedFor.expected);
    }
    const line = this.#lastError();
    const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
    return this.#depart(signal ?? `ExitCode${code}`, line === '' ? how : `${how}: ${line}`);
  }

  #depart(reason: string, description: string, expected = false): Departure {
    clearInterval(this.#heartbeat);
    this.ready = this.serving = this.holdsPort = false;
    const departure = this.#departure ?? { pid: this.pid, at: Date.now(), reason, description, expected };
    this.#departure = departure;
    for (const answer of this.#waiting.values()) answer({ type: 'gone', departure });
    return departure;
  }
}
