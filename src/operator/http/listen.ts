// The HTTP server of the operator API: its limits, and a graceful close.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type Koa from 'koa';
import { codeOf, messageOf } from '../../base/errors.ts';
import { answerHalfClosed } from '../../base/half-close.ts';
import { authority, httpUrl } from '../../base/http-url.ts';
import type { Config } from '../../config/config.ts';
import type { Log } from './problems.ts';

export type ListenSettings = Pick<
  NonNullable<Config['operatorApi']>,
  'host' | 'port' | 'maxHeaderBytes' | 'headersTimeoutMs' | 'requestTimeoutMs' | 'keepAliveTimeoutMs' | 'maxConnections'
>;

export interface OperatorListener {
  /** The actual port, also if the config says 0. */
  readonly port: number;
  /** `http://127.0.0.1:3335` */
  readonly url: string;
  /**
   * Refuse connections at once. Requests received so far are answered, and each connection closes after its last answer.
   * Resolves when all of those requests have been dispatched.
   */
  refuse(): Promise<void>;
  /** Refuse, finish pending answers, and close the remaining connections after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

const portTaken = 'the port is in use: stop the other process, or set operatorApi.port';

/**
 * Resolves when connections are accepted.
 * Node's HTTP parser answers 400, 408 and 431 itself, without a body.
 * @throws {Error} with a message for the operator if it cannot listen; its cause has the system's code
 */
export async function listen(
  app: Pick<Koa, 'callback'>,
  settings: ListenSettings,
  log: Log,
): Promise<OperatorListener> {
  const { host, requestTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes, maxConnections } = settings;
  /** Every connection with its pending answers, longest idle first. */
  const connections = new Map<Socket, Set<ServerResponse>>();
  let refusing: Promise<void> | null = null;
  const handle = app.callback();
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      requestTimeout: requestTimeoutMs,
      // Node refuses headers that may take longer than the whole request.
      headersTimeout: Math.min(settings.headersTimeoutMs, requestTimeoutMs),
      keepAliveTimeout: keepAliveTimeoutMs,
      // The resolution of both timeouts.
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      const underWay = connections.get(request.socket);
      if (underWay && hasEnded(underWay)) return;
      underWay?.add(response);
      response.once('close', () => {
        underWay?.delete(response);
        if (underWay && connections.delete(request.socket)) connections.set(request.socket, underWay);
      });
      if (underWay && refusing !== null) endWithLast(underWay);
      handle(request, response);
    },
  );
  answerHalfClosed(server);
  server.on('connection', (socket) => {
    const underWay = new Set<ServerResponse>();
    connections.set(socket, underWay);
    // An idle client, or one that does not read its answers, must not block others: close the oldest of these.
    if (connections.size > maxConnections) {
      const isOfUse = (one: Socket) => connections.get(one)?.size !== 0 && one.writableLength === 0;
      const useless = [...connections.keys()].find((one) => !isOfUse(one)) ?? socket;
      connections.delete(useless);
      useless.destroy();
    }
    socket.once('close', () => {
      connections.delete(socket);
      // Node emits `close` only on the current response; the others of a pipeline would leak.
      setImmediate(() => {
        for (const response of underWay) response.emit('close');
      });
    });
  });
  server.listen({ host, port: settings.port });
  await once(server, 'listening').catch((error: unknown) => {
    const why = codeOf(error) === 'EADDRINUSE' ? portTaken : messageOf(error);
    throw new Error(`The operator API cannot listen on ${authority(host, settings.port)}: ${why}`, { cause: error });
  });
  // Afterwards only single connections fail, for want of file descriptors.
  server.on('error', (err) => log.warn({ err }, 'The operator API could not accept a connection'));
  const { port } = server.address() as AddressInfo;

  const closed = once(server, 'close');

  async function refuseAll(): Promise<void> {
    for (const underWay of connections.values()) endWithLast(underWay);
    // The listener alone: node would also end connections on which a request is on its way to us.
    NetServer.prototype.close.call(server);
    // Two turns: one poll for new connections, one for the data received on them.
    await nextTurn();
    await nextTurn();
    server.closeIdleConnections();
    // To node a connection that has not said anything yet is not an idle one.
    for (const socket of connections.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  const refuse = (): Promise<void> => {
    refusing ??= refuseAll();
    return refusing;
  };

  return {
    port,
    url: httpUrl(host, port),
    refuse,
    async close(graceMs) {
      await refuse();
      const deadline = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(deadline);
    },
  };
}

/** RFC 9112 §9.6: after an answer that says so a connection ends, and no request on it is taken any more. So the last one says so. */
function endWithLast(underWay: ReadonlySet<ServerResponse>): void {
  const [last, before] = [...underWay].reverse();
  if (before && !before.headersSent) before.removeHeader('Connection');
  if (last && !last.headersSent) last.setHeader('Connection', 'close');
}

const hasEnded = (underWay: ReadonlySet<ServerResponse>): boolean =>
  [...underWay].some((response) => response.headersSent && response.getHeader('Connection') === 'close');
