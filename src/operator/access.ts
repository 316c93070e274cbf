// Each request by its name: given to it first of all, told in its answer, and one log line when it has been answered.
import type Koa from 'koa';
import { excerpt } from '../log.ts';
import { requestIdHeader, requestIdOf } from '../request-id.ts';
import type { Log } from './problems.ts';
import type { OperatorState } from './request-state.ts';

const longestPath = 300;

/**
 * The path as it may be logged. Koa's `ctx.path` is not asked for: a target that has not been checked yet can be one over
 * which its parser takes quadratic time.
 */
export const loggedPath = (url: string): string => excerpt(url.split('?', 1)[0] ?? '', longestPath);

/** Koa's outermost middleware. The query is not told: it has little meaning here, and may hold what nobody should read. */
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
