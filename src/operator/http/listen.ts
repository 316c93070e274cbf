// The HTTP server of the operator API: its limits, and an end that lets the last answer out.
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
  /** The one in use, where the config said 0 too. */
  readonly port: number;
  /** `http://127.0.0.1:3335` */
  readonly url: string;
  /**
   * Refuse connections at once. What has come is still answered, and each connection ends with the last answer it is owed.
   * Resolves when all that had come by then has been handed on.
   */
  refuse(): Promise<void>;
  /** Refuse, finish what is under way, and cut what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

const portTaken = 'the port is taken: stop who holds it, or set operatorApi.port';

/**
 * Resolves when connections are accepted.
 * What node's own parser refuses it answers itself: 400, 408 and 431, without a body.
 * @throws {Error} with a line for the operator where it cannot listen; its cause has the system's code
 */
export async function listen(
  app: Pick<Koa, 'callback'>,
  settings: ListenSettings,
  log: Log,
): Promise<OperatorListener> {
  const { host, requestTimeoutMs, keepAliveTimeoutMs, maxHeaderBytes, maxConnections } = settings;
  /** Every connection, with the answers that it is still owed; those that have been idle for longest come first. */
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
      // Both times are only as exact as this.
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
    // Whoever says nothing, or takes no answer, must keep nobody out: the oldest of them has to go.
    if (connections.size > maxConnections) {
      const isOfUse = (one: Socket) => connections.get(one)?.size !== 0 && one.writableLength === 0;
      const useless = [...connections.keys()].find((one) => !isOfUse(one)) ?? socket;
      connections.delete(useless);
      useless.destroy();
    }
    socket.once('close', () => {
      connections.delete(socket);
      // Node tells only the one whose turn it was; the others of a pipeline would be waited for, and kept, for ever.
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
    // Until the kernel has been asked for what came on the connections that are open, the one just accepted included.
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
