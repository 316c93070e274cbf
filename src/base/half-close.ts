// Clients that say «no more requests» by closing their side, and still want their answers, as RFC 9112 §9.6 lets them.
import type { Server } from 'node:http';

/**
 * Node's server drops what it still owes to such a client unless it is told otherwise; with this, the last answer that is
 * owed closes the connection. A client that has gone altogether looks the same until something is sent to it: an answer
 * without an end has to look for the end of the client by itself.
 */
export function answerHalfClosed(server: Server): void {
  // Not in the types, nor in the manual, and there since the first versions of node.
  Object.assign(server, { httpAllowHalfOpen: true });
}
