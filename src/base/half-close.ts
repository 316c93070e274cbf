// Half-closed connections: a client that has closed its side still gets its answers (RFC 9112 §9.6).
import type { Server } from 'node:http';

/**
 * By default, Node's server drops pending answers to such a client. With this, the last pending answer closes the
 * connection. A client that has gone looks the same until data is sent to it: an endless answer must detect that itself.
 */
export function answerHalfClosed(server: Server): void {
  // Not in the types or the manual, but in Node since its first versions.
  Object.assign(server, { httpAllowHalfOpen: true });
}
