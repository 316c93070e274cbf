// `GET /api/v1/openapi.json`: the description of both APIs. Public, so no token is needed.
import Router from '@koa/router';
import { openapiDocument } from '../../openapi/openapi-document.ts';
import type { OperatorState } from './request-state.ts';

export function openapiRoutes(): Router<OperatorState> {
  const router = new Router<OperatorState>({ sensitive: true, strict: true });
  const text = JSON.stringify(openapiDocument);
  router.get('/api/v1/openapi.json', (ctx) => {
    ctx.type = 'application/json';
    ctx.body = text;
  });
  return router;
}
