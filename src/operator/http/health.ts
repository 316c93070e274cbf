// Health for those who start, restart and balance nodes: /livez, /readyz and /startupz, without a token, never waiting.
import Router from '@koa/router';
import type { Health } from '../../control/node-control.ts';
import type { OperatorState } from './request-state.ts';

/**
 * 200 `ok`, or 503 with the reason as text.
 * `/livez`: the process answers. `/startupz`: the public API is where it is wanted, or that has been tried.
 * `/readyz`: it runs, a worker serves it, and no stop is under way.
 */
export function healthRoutes(health?: () => Health): Router<OperatorState> {
  const router = new Router<OperatorState>({ sensitive: true, strict: true });
  const route = (path: string, conditionNow: () => string | null): void => {
    router.get(path, (ctx) => {
      const condition = conditionNow();
      ctx.status = condition === null ? 200 : 503;
      ctx.type = 'text/plain; charset=utf-8';
      ctx.body = `${condition ?? 'ok'}\n`;
    });
  };
  route('/livez', () => null);
  if (health) {
    route('/readyz', () => health().ready);
    route('/startupz', () => health().startup);
  }
  return router;
}
