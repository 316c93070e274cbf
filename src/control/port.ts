// Whether a port can be opened, why not in the operator's words, and the choice of a free one.
import { lookup } from 'node:dns/promises';
import { connect, createServer, isIPv6 } from 'node:net';
import { codeOf, messageOf } from '../errors.ts';

export interface PortRefusal {
  readonly code: string;
  /** For the operator. */
  readonly words: string;
}

export function portRefusal(host: string, port: number, code: string, reason: string): PortRefusal {
  return { code, words: words(host, port, code, reason) };
}

function words(host: string, port: number, code: string, reason: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is already in use (EADDRINUSE)`;
    case 'EACCES':
      return `Port ${port} on ${host} may not be opened by this user (EACCES)`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine (EADDRNOTAVAIL)`;
    case 'ENOTFOUND':
      return `The host name ${host} has no address (ENOTFOUND)`;
    default:
      return `Port ${port} on ${host} could not be opened: ${reason}`;
  }
}

/**
 * Binds the port as a listener would, without ever listening, so that no client is accepted only to be dropped: an
 * outgoing connection is made from it, to a port 0 that nobody can have. Null: it is free.
 */
export async function probePort(host: string, port: number): Promise<PortRefusal | null> {
  try {
    const { address } = await lookup(host);
    const failure = await new Promise<NodeJS.ErrnoException>((resolve) => {
      const target = isIPv6(address) ? '::1' : '127.0.0.1';
      connect({ host: target, port: 0, localAddress: address, localPort: port }).once('error', resolve);
    });
    if (failure.syscall !== 'bind') return null;
    return portRefusal(host, port, failure.code ?? 'UNKNOWN', failure.message);
  } catch (error) {
    return portRefusal(host, port, codeOf(error) ?? 'UNKNOWN', messageOf(error));
  }
}

/**
 * A port that is free now, for a config that says 0: workers that come and go must agree on a number.
 * @throws {NodeJS.ErrnoException} as `net.Server.listen` does
 */
export function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
