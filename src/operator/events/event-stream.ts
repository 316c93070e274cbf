// The answer to `GET /events`: Server-Sent Events (WHATWG HTML §9.2), until the client or the node ends it.
import type Koa from 'koa';
import type { Token } from '../auth/tokens.ts';
import { problem } from '../http/problems.ts';
import type { Events } from './events.ts';

/** The longest a timer can wait. */
const longestMs = 2_147_483_647;

/**
 * A stream ends when its access token expires. A request token is valid for the whole stream.
 * @throws {Problem} 503 if there are too many readers
 */
export function streamEvents(ctx: Koa.Context, events: Events, token: Token, now: () => number): void {
  if (events.isFull) {
    const detail = 'The limit of event readers (operatorApi.maxEventReaders) is reached';
    throw problem(503, detail, { headers: { 'Retry-After': '5' } });
  }
  const { res } = ctx;
  ctx.respond = false;
  // Disables buffering in proxies.
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  if (ctx.method === 'HEAD') return void res.end();
  const end = events.connect(res, ctx.get('Last-Event-ID'));
  // A client that half-closes its connection has left: an endless stream has no last answer to wait for.
  ctx.socket.once('end', end);
  res.once('close', () => ctx.socket.off('end', end));
  if (token.kind === 'request') return;
  const expiry = setTimeout(end, Math.min(token.expiresAtMs - now(), longestMs));
  res.once('close', () => clearTimeout(expiry));
}
