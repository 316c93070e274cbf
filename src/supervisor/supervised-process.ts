// One child process of the node: orders and their confirmation, its heartbeat, and its exit.
import { type ChildProcess, fork } from 'node:child_process';
import type { Server } from 'node:net';
import { setPriority } from 'node:os';
import { childEnvironment } from './child-environment.ts';
import { lastErrorLine } from './child-output.ts';

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

/** The process exited before it could reply. */
export interface Gone {
  readonly type: 'gone';
  readonly departure: Departure;
}

export interface Failed {
  readonly type: 'failed';
  readonly seq: number;
  readonly code: string;
  readonly reason: string;
}

/** What every child process understands. */
export type BasicOrder = { readonly seq: number; readonly type: string };
/** Every reply has the number of its order. */
export type BasicReport = { readonly type: string; readonly seq?: number };

export type OrderBody<O> = O extends unknown ? Omit<O, 'seq'> : never;

/** A handle to send with an order; `sent` is called once, when it has been sent or cannot be. */
export interface SharedPort {
  readonly server: Server;
  readonly sent: () => void;
}

export interface ProcessOptions {
  /** What it is, for the log: `server process`. */
  readonly what: string;
  /** The script that it runs. */
  readonly entry: string;
  /** Descriptors of shared files; the process inherits them after its three streams and the IPC channel. */
  readonly files: readonly number[];
  readonly niceness: number;
  /** Timeout of an order: a process that does not confirm in time is killed. */
  readonly timeoutMs: number;
  readonly heartbeatMs: number;
  readonly log: Logger;
}

/**
 * @typeParam O what it is ordered: at least `ping` and `leave`
 * @typeParam R what it reports: `hello` first, then replies, with the number of their order, and notices without one
 */
export class SupervisedProcess<O extends BasicOrder = BasicOrder, R extends BasicReport = BasicReport> {
  /** Resolves when the process has exited and its channel is closed: only then has it released what it held. */
  readonly gone: Promise<Departure>;
  /** It has been set up and can take work. */
  ready = false;
  /** When it became ready, by the clock of `performance.now()`. */
  readyAt = Number.POSITIVE_INFINITY;
  readonly #options: ProcessOptions;
  #child: ChildProcess | undefined;
  #seq = 0;
  /** Orders queued until it can receive them; null: it can. */
  #early: (() => void)[] | null = [];
  #waiting = new Map<number, (reply: R | Gone) => void>();
  #departure: Departure | undefined;
  #killedFor: { reason: string; description: string; expected: boolean } | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #lastError = () => '';

  constructor(options: ProcessOptions) {
    this.#options = options;
    this.gone = new Promise((resolve) => {
      try {
        this.#child = this.#spawn(resolve);
      } catch (error) {
        setImmediate(() => resolve(this.#depart('SpawnFailed', `could not be started: ${String(error)}`)));
      }
    });
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

  /** Why it was killed, for people; null: it was not, or has exited. */
  get killedFor(): string | null {
    return this.alive ? (this.#killedFor?.description ?? null) : null;
  }

  /** Sends an order; orders arrive in the order of these calls. Never rejects: a process that does not confirm in time is killed, and the reply is `gone`. */
  async order(body: OrderBody<O>, timeoutMs = this.#options.timeoutMs, shared?: SharedPort): Promise<R | Gone> {
    if (this.#departure) {
      shared?.sent();
      return { type: 'gone', departure: this.#departure };
    }
    const seq = ++this.#seq;
    const reply = new Promise<R | Gone>((resolve) => this.#waiting.set(seq, resolve));
    const late = setTimeout(() => this.#timedOut(seq, String(body.type), timeoutMs), timeoutMs);
    this.#send({ ...body, seq } as unknown as O, shared);
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
      this.#options.log.warn({ pid, err }, `the priority of a ${this.#options.what} could not be lowered`);
    }
  }

  /** From now on it must answer a periodic ping, or is killed. */
  startHeartbeat(): void {
    let isPending = false;
    this.#heartbeat = setInterval(async () => {
      if (isPending) return;
      isPending = true;
      await this.order({ type: 'ping' } as unknown as OrderBody<O>);
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
  async leave(withinMs?: number): Promise<void> {
    this.#killedFor ??= { reason: 'Left', description: 'exited as ordered', expected: true };
    await this.order({ type: 'leave' } as unknown as OrderBody<O>, withinMs);
  }

  /** It no longer keeps this process from exiting: it was killed, but a hung disk may keep it from ending. */
  giveUp(): void {
    this.#child?.unref();
    this.#child?.channel?.unref();
  }

  /** Every report that is not a reply, and every reply before its order resolves. */
  protected received(_report: R): void {}

  /** The process has ended: `order` answers `gone` from now on. */
  protected departed(): void {}

  #spawn(resolve: (departure: Departure) => void): ChildProcess {
    const { entry, files, log, what } = this.#options;
    const child = fork(entry, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', ...files],
      env: childEnvironment(process.env),
    });
    this.#lastError = lastErrorLine(child, (line) => log.warn({ pid: child.pid, line }, `output of a ${what}`));
    child.on('message', (report: R, shared: Server | undefined) => this.#receive(report, shared));
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

  #send(order: O, shared?: SharedPort): void {
    if (this.#early) this.#early.push(() => this.#send(order, shared));
    else if (this.#child?.connected) this.#child.send(order, shared?.server, undefined, () => shared?.sent());
    else shared?.sent();
  }

  #receive(report: R, shared?: Server): void {
    if (report.type === 'hello') {
      const early = this.#early ?? [];
      this.#early = null;
      for (const send of early) send();
      return;
    }
    const answer = report.seq === undefined ? undefined : this.#waiting.get(report.seq);
    if (shared && !answer) shared.close();
    this.received(report);
    answer?.(shared ? { ...report, shared } : report);
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
    this.ready = false;
    this.departed();
    const departure = this.#departure ?? { pid: this.pid, at: Date.now(), reason, description, expected };
    this.#departure = departure;
    for (const answer of this.#waiting.values()) answer({ type: 'gone', departure });
    return departure;
  }
}
