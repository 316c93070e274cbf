// The answer to `GET /events`: Server-Sent Events (WHATWG HTML §9.2), until one of both ends has had enough.
import type Koa from 'koa';
import type { Token } from '../auth/tokens.ts';
import { problem } from '../http/problems.ts';
import type { Events } from './events.ts';

/** The longest a timer can wait. */
const longestMs = 2_147_483_647;

/**
 * A stream ends with the access token that opened it; one opened by a request token is the one request it was made for.
 * @throws {Problem} 503 where there are as many readers as there may be
 */
export function streamEvents(ctx: Koa.Context, events: Events, token: Token, now: () => number): void {
  if (events.isFull) {
    const detail = 'As many readers of the events as there may be (operatorApi.maxEventReaders) are here already';
    throw problem(503, detail, { headers: { 'Retry-After': '5' } });
  }
  const { res } = ctx;
  ctx.respond = false;
  // A proxy on the way must not collect what is meant to be read at once.
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' });
  if (ctx.method === 'HEAD') return void res.end();
  const end = events.connect(res, ctx.get('Last-Event-ID'));
  // A reader that closes its side has gone: of a stream without an end nothing is ever owed last.
  ctx.socket.once('end', end);
  res.once('close', () => ctx.socket.off('end', end));
  if (token.kind === 'request') return;
  const expiry = setTimeout(end, Math.min(token.expiresAtMs - now(), longestMs));
  res.once('close', () => clearTimeout(expiry));
}
