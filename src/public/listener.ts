// One opening of the public port: a listening server and the connections it has accepted, until the last has closed.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { answerHalfClosed } from '../base/half-close.ts';
import { requestIdOf } from '../base/request-id.ts';
import type { PublicLimits } from '../ipc/messages.ts';
import type { Places } from './connection-places.ts';
import type { Answerer, RequestContext } from './request-context.ts';

interface Connection {
  readonly contexts: Set<RequestContext>;
  /** Since when no request is in progress, by the clock of `performance.now()`. */
  idleSince: number;
  /** `socket.bytesRead` when it became idle: a greater value means that a request has begun. */
  readMark: number;
  /** We have sent FIN. */
  ended: boolean;
}

/** After this long without a new connection, none is assumed to be pending. */
const quietMs = 20;

/** Maximum length of the final poll. Connections that arrive after it are reset. */
const finalPollMs = 0.5;

/** If connections keep arriving, after this long a single poll without one is enough. */
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
  #gate: Promise<void> | null = null;
  #openGate = () => {};
  #sweeping: NodeJS.Timeout | undefined;
  #onEmpty = () => {};

  /**
   * @param places a connection that gets none is closed at once
   * @param ended called with every context given to `answer`, when its response has ended
   */
  constructor(limits: ListenerLimits, places: Places, answer: Answerer, ended: Answerer = () => {}) {
    this.#limits = limits;
    this.#places = places;
    this.#ended = ended;
    const { requestTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes } = limits;
    // Node rejects a headers timeout above the request timeout, and checks for late requests only periodically.
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
    // Only responses without any progress are cut. For idle connections Node uses keepAliveTimeout.
    this.#server.timeout = limits.stallTimeoutMs;
    this.#server.on('connection', (socket) => this.#accept(socket));
    this.#server.on('request', (req, res) => {
      const startedAt = performance.now();
      const gate = () => this.#gate;
      const requestId = requestIdOf(req.headers['x-request-id']);
      const initial = {
        requestId,
        error: null,
        baseHeaders: [],
        bytesLeft: 0,
        cache: 'none',
        startedAt,
        answeredAt: 0,
      } as const;
      this.#begin({ req, res, gate, ...initial }, answer);
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
   * @param where a `Server` already listens, in this process or another: its port is shared
   * @throws {NodeJS.ErrnoException} as `net.Server.listen` does
   */
  listen(where: { readonly host: string; readonly port: number } | NetServer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.off('error', reject);
        // Later errors are accept errors, e.g. EMFILE: the connection is lost, but the port stays open.
        this.#server.on('error', () => {});
        const address = this.#server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  }

  /** To send to another process. */
  get server(): NetServer {
    return this.#server;
  }

  /**
   * Resolves when new connections are refused. Responses on the others wait for `drain`, or for twice `withinMs`.
   *
   * When the last listener closes, the kernel resets connections in the accept queue, and a busy process accepts only one
   * connection per event loop turn. So this process first accepts until a poll finds no new connection. In that time it sends
   * no responses, because a client that gets a response may connect again. The other server processes do the same at the
   * same time.
   *
   * `http.Server.close` would also close idle connections on which a request may be arriving, and would stop checking request
   * timeouts. So only the listener is closed.
   * @param withinMs deadline of the close, even if connections are still pending
   */
  async closeListener(withinMs: number): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#phase = 'closing';
    this.#closeGate(2 * withinMs);
    const start = performance.now();
    this.#lastAccepted = start;
    for (let polled = 0, now = start; now < start + withinMs; ) {
      [polled, now] = [now, await nextTurn()];
      // A longer poll, because this process was busy or suspended, may have missed connections.
      const none = this.#lastAccepted < polled && now - polled < finalPollMs;
      if (none && (now - this.#lastAccepted > quietMs || now - start > patienceMs)) break;
    }
    NetServer.prototype.close.call(this.#server);
    this.#phase = 'closed';
  }

  /**
   * From now on every response is the last on its connection; idle connections are closed after `idleGraceMs`.
   * Call it only after `closeListener` has resolved.
   * @param onEmpty called once, when the last connection has closed
   */
  drain(onEmpty: () => void): void {
    if (this.#phase !== 'closed') return;
    this.#phase = 'draining';
    this.#onEmpty = onEmpty;
    const now = performance.now();
    for (const connection of this.#connections.values()) {
      connection.idleSince = Math.max(connection.idleSince, now);
      for (const { res } of connection.contexts) markLast(res);
    }
    this.#openGate();
    const pause = Math.max(20, Math.min(250, this.#limits.idleGraceMs / 4));
    this.#sweeping = setInterval(() => this.#sweep(), pause);
    this.#endIfEmpty();
  }

  /** Closes every connection at once, busy or idle. Returns their number. */
  cut(): number {
    const sockets = [...this.#connections.keys()];
    for (const socket of sockets) socket.destroy();
    return sockets.length;
  }

  #closeGate(maxMs: number): void {
    this.#gate = new Promise((resolve) => {
      this.#openGate = () => {
        this.#gate = null;
        resolve();
      };
    });
    setTimeout(this.#openGate, maxMs);
  }

  #accept(socket: Socket): void {
    if (!this.#places.take()) return void socket.destroy();
    const contexts = new Set<RequestContext>();
    this.#connections.set(socket, { contexts, idleSince: performance.now(), readMark: 0, ended: false });
    this.#lastAccepted = performance.now();
    socket.once('close', () => {
      this.#connections.delete(socket);
      this.#places.giveBack();
      // Node emits `close` only for the first response of a pipeline; the others would keep their files open.
      setImmediate(() => {
        for (const { res } of contexts) res.destroy().emit('close');
      });
      this.#endIfEmpty();
    });
  }

  #begin(context: RequestContext, answer: Answerer): void {
    const { req, res } = context;
    const connection = this.#connections.get(req.socket);
    // The request crossed our FIN: it cannot be answered.
    if (connection === undefined || connection.ended) return void req.socket.destroy();
    if (connection.contexts.size > this.#limits.maxPipelinedRequests) return void req.socket.destroy();
    connection.contexts.add(context);
    res.once('close', () => {
      connection.contexts.delete(context);
      connection.idleSince = performance.now();
      connection.readMark = req.socket.bytesRead;
      this.#ended(context);
      // Pipelined requests are answered one after another: each opens a file, and there may be thousands.
      const [next] = connection.contexts;
      if (next && req.socket.writable) this.#answer(next, answer);
    });
    if (this.#phase === 'draining') markLast(res);
    if (connection.contexts.size === 1) this.#answer(context, answer);
  }

  #answer(context: RequestContext, answer: Answerer): void {
    if (this.#gate) void this.#gate.then(() => answer(context));
    else answer(context);
  }

  #sweep(): void {
    // Timers run before sockets are read: read them first, so that no arriving request is cut off.
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
    // Only now may Node stop checking request timeouts.
    this.#server.close();
    this.#onEmpty();
  }
}

function markLast(res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
}

/** Resolves after the next poll of all sockets, with `performance.now()`. */
const nextTurn = (): Promise<number> => new Promise((resolve) => setImmediate(() => resolve(performance.now())));
