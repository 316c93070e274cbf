// One generation of the public port: a listening server and every connection it has accepted, until the last has gone.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { answerHalfClosed } from '../base/half-close.ts';
import { requestIdOf } from '../base/request-id.ts';
import type { PublicLimits } from '../ipc/messages.ts';
import type { Places } from './connection-places.ts';
import type { Answerer, RequestContext } from './request-context.ts';

interface Connection {
  readonly contexts: Set<RequestContext>;
  /** Since when nothing is under way on it, by the clock of `performance.now()`. */
  idleSince: number;
  /** `socket.bytesRead` when it became idle: more than that is the beginning of a request. */
  readMark: number;
  /** We have said that nothing more will come. */
  ended: boolean;
}

/** After this long without a new connection there is none on its way, as far as a server can know. */
const quietMs = 20;

/** Who comes within the last look of this length is lost. */
const shortTurnMs = 0.5;

/** Where they never stop coming, a turn of the event loop without one has to do after this long. */
const patienceMs = 100;

export type ListenerLimits = Omit<PublicLimits, 'hotObjectsBytes' | 'maxBodyBytes' | 'maxConnections'>;

export class Listener {
  readonly #server: Server;
  readonly #limits: ListenerLimits;
  readonly #ended: Answerer;
  readonly #places: Places;
  readonly #connections = new Map<Socket, Connection>();
  #phase: 'open' | 'closing' | 'closed' | 'draining' = 'open';
  /** By the clock of `performance.now()`. */
  #lastAccepted = 0;
  #hold: Promise<void> | null = null;
  #goOn = () => {};
  #sweeping: NodeJS.Timeout | undefined;
  #onEmpty = () => {};

  /**
   * @param places a connection that finds none is closed at once
   * @param ended told of every context that `answer` was, when nothing more of it will be sent
   */
  constructor(limits: ListenerLimits, places: Places, answer: Answerer, ended: Answerer = () => {}) {
    this.#limits = limits;
    this.#places = places;
    this.#ended = ended;
    const { requestTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes } = limits;
    // Node refuses a header timeout above the request timeout, and looks for late ones only every so often.
    const headersTimeout =
      requestTimeoutMs > 0 ? Math.min(limits.headersTimeoutMs, requestTimeoutMs) : limits.headersTimeoutMs;
    this.#server = createServer({
      requestTimeout: requestTimeoutMs,
      headersTimeout,
      keepAliveTimeout: keepAliveTimeoutMs,
      maxHeaderSize: maxHeaderBytes,
      connectionsCheckingInterval: Math.max(100, Math.min(5000, headersTimeout / 4)),
    });
    answerHalfClosed(this.#server);
    // Whoever takes something of its answer now and then is not cut. Node leaves idle connections their own time.
    this.#server.timeout = limits.stallTimeoutMs;
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('request', (req, res) => {
      const startedAt = performance.now();
      const hold = () => this.#hold;
      const requestId = requestIdOf(req.headers['x-request-id']);
      const so = {
        requestId,
        fault: null,
        baseHeaders: [],
        bytesLeft: 0,
        cache: 'none',
        startedAt,
        answeredAt: 0,
      } as const;
      this.#begin({ req, res, hold, ...so }, answer);
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  get bytesLeft(): number {
    let sum = 0;
    for (const { contexts } of this.#connections.values()) for (const { bytesLeft } of contexts) sum += bytesLeft;
    return sum;
  }

  /**
   * Resolves with the actual port.
   * @param where a server is one that listens already, in this process or another: its port is shared
   * @throws {NodeJS.ErrnoException} as `net.Server.listen` does
   */
  listen(where: { readonly host: string; readonly port: number } | NetServer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.off('error', reject);
        // Later errors are those of accepting, e.g. EMFILE: the connection is lost, the port is not.
        this.#server.on('error', () => {});
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** To be handed to another process. */
  get server(): NetServer {
    return this.#server;
  }

  /**
   * Resolves when new connections are refused. The old ones go on as before once `drain` is called, or soon after.
   *
   * What the kernel has accepted and this process has not is reset when the last listener closes, and a busy process
   * takes in one connection with every turn of its event loop only. So nobody is answered any more, because who is not
   * answered does not come again, until a turn has brought no new connection. In these milliseconds the other workers do
   * the same: were they to answer, their clients would be back while the last listener closes.
   *
   * `http.Server.close` would close idle connections under clients that are just sending, and would stop looking for
   * requests that take too long: so the listener alone is closed.
   * @param withinMs close then at the latest, whoever waits to be taken in
   */
  async closeListener(withinMs: number): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#phase = 'closing';
    this.#holdOn(2 * withinMs);
    const start = performance.now();
    this.#lastAccepted = start;
    for (let looked = 0, now = start; now < start + withinMs; ) {
      [looked, now] = [now, await nextTurn()];
      // A turn in which this process was busy, or not let run, may have missed who came while it lasted.
      const none = this.#lastAccepted < looked && now - looked < shortTurnMs;
      if (none && (now - this.#lastAccepted > quietMs || now - start > patienceMs)) break;
    }
    NetServer.prototype.close.call(this.#server);
    this.#phase = 'closed';
  }

  /**
   * Every answer from now on is its connection's last; connections on which nothing happens are closed after the grace.
   * Only after `closeListener` has resolved.
   * @param onEmpty called once, when the last connection has gone
   */
  drain(onEmpty: () => void): void {
    if (this.#phase !== 'closed') return;
    this.#phase = 'draining';
    this.#onEmpty = onEmpty;
    const now = performance.now();
    for (const connection of this.#connections.values()) {
      connection.idleSince = Math.max(connection.idleSince, now);
      for (const { res } of connection.contexts) sayLast(res);
    }
    this.#goOn();
    const pause = Math.max(20, Math.min(250, this.#limits.idleGraceMs / 4));
    this.#sweeping = setInterval(() => this.#sweep(), pause);
    this.#endIfEmpty();
  }

  /** Close every connection at once, whatever it is doing. Returns how many there were. */
  cut(): number {
    const sockets = [...this.#connections.keys()];
    for (const socket of sockets) socket.destroy();
    return sockets.length;
  }

  #holdOn(longestMs: number): void {
    this.#hold = new Promise((resolve) => {
      this.#goOn = () => {
        this.#hold = null;
        resolve();
      };
    });
    setTimeout(this.#goOn, longestMs);
  }

  #accept(socket: Socket): void {
    if (!this.#places.take()) return void socket.destroy();
    const contexts = new Set<RequestContext>();
    this.#connections.set(socket, { contexts, idleSince: performance.now(), readMark: 0, ended: false });
    this.#lastAccepted = performance.now();
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#places.giveBack();
      // Node tells only the one whose turn it was; the others of a pipeline would be waited for, and their files kept.
      setImmediate(() => {
        for (const { res } of contexts) res.destroy().emit('close');
      });
      this.#endIfEmpty();
    });
  }

  #begin(context: RequestContext, answer: Answerer): void {
    const { req, res } = context;
    const connection = this.#connections.get(req.socket);
    // It crossed our farewell on its way: there is nobody left to answer it.
    if (connection === undefined || connection.ended) return void req.socket.destroy();
    if (connection.contexts.size > this.#limits.maxPipelinedRequests) return void req.socket.destroy();
    connection.contexts.add(context);
    res.once('close', () => {
      connection.contexts.delete(context);
      connection.idleSince = performance.now();
      connection.readMark = req.socket.bytesRead;
      this.#ended(context);
      // The others of a pipeline wait for their turn: thousands may have been sent ahead, and each would open its file.
      const [next] = connection.contexts;
      if (next && req.socket.writable) this.#answer(next, answer);
    });
    if (this.#phase === 'draining') sayLast(res);
    if (connection.contexts.size === 1) this.#answer(context, answer);
  }

  #answer(context: RequestContext, answer: Answerer): void {
    if (this.#hold) void this.#hold.then(() => answer(context));
    else answer(context);
  }

  #sweep(): void {
    // Timers run before sockets are read: what has arrived meanwhile is looked at first, so that no request is cut off.
    setImmediate(() => {
      const now = performance.now();
      for (const [socket, connection] of this.#connections) {
        const { contexts, readMark, ended, idleSince } = connection;
        const idle = contexts.size === 0 && (ended || socket.bytesRead === readMark);
        if (!idle || now - idleSince < this.#limits.idleGraceMs) continue;
        if (ended) socket.destroy();
        else socket.end();
        connection.ended = true;
        connection.idleSince = now;
      }
    });
  }

  #endIfEmpty(): void {
    if (this.#phase !== 'draining' || this.#connections.size > 0 || this.#sweeping === undefined) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
    // Only now may Node stop looking for requests that take too long.
    this.#server.close();
    this.#onEmpty();
  }
}

function sayLast(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}

/** Every socket that had something to tell has been heard when this resolves, with the time of `performance.now()`. */
const nextTurn = (): Promise<number> => new Promise((resolve) => setImmediate(() => resolve(performance.now())));
