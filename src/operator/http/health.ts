// Health endpoints for supervisors and load balancers: /livez, /readyz and /startupz. No token, never waiting.
import Router from '@koa/router';
import type { Health } from '../../control/node-control.ts';
import type { OperatorState } from './request-state.ts';

/**
 * 200 `ok`, or 503 with the reason as text.
 * `/livez`: the process answers. `/startupz`: the public API has reached its target state, or has failed to.
 * `/readyz`: the public API runs, a server process serves it, and no stop is in progress.
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
