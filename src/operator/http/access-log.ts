// Assigns each request an id, returns it in the answer, and logs one line per answer.
import type Koa from 'koa';
import { requestIdHeader, requestIdOf } from '../../base/request-id.ts';
import { loggedPath } from './logged-path.ts';
import type { Log } from './problems.ts';
import type { OperatorState } from './request-state.ts';

/** Koa's outermost middleware. */
export function access(log: Log): Koa.Middleware<OperatorState> {
  return async (ctx, next) => {
    const start = performance.now();
    const requestId = requestIdOf(ctx.headers['x-request-id']);
    ctx.state.requestId = requestId;
    ctx.set(requestIdHeader, requestId);
    const from = ctx.socket.remoteAddress ?? null;
    await next();
    const { method, status } = ctx;
    const path = loggedPath(ctx.url);
    log.http?.(
      { requestId, method, path, status, ms: Math.round(performance.now() - start), from },
      'operator request',
    );
  };
}
