// Health endpoints for supervisors and load balancers: on the operator port, and readiness on the public port too.

import type { PathItem } from './operator-paths.ts';
import { noBody, preflight } from './public-paths.ts';
import { type Answer, type Answers, everywhere, notOurs, sometimes } from './response.ts';

const operator = { url: 'http://localhost:3335', description: 'the operator port' };
const viewers = { url: 'http://localhost:3334', description: 'the public port' };

const answerOf = (description: string): Answer => ({
  description,
  headers: { ...everywhere, 'Access-Control-Allow-Origin': sometimes('only on the public port', { const: '*' }) },
  content: { 'text/plain': { schema: { type: 'string' } } },
});

const healthPath = (name: string, summary: string, servers: readonly object[], more: Answers = {}): PathItem => ({
  get: {
    ...{ servers, operationId: `health.${name}`, tags: ['monitoring'], summary, security: [] },
    responses: { 200: answerOf('`ok`'), 403: notOurs, ...more },
  },
});

const unhealthy = answerOf('No; the body is the reason.');

export const healthPaths: Readonly<Record<string, PathItem>> = {
  '/livez': healthPath('livez', 'Liveness: whether the process answers.', [operator]),
  '/readyz': {
    ...healthPath('readyz', 'Readiness: whether the node can take viewers.', [operator, viewers], {
      413: noBody,
      503: unhealthy,
    }),
    options: {
      ...{ servers: [viewers], operationId: 'health.readyzOptions', tags: ['monitoring'], security: [] },
      ...{ summary: 'CORS preflight.', responses: preflight },
    },
  },
  '/startupz': healthPath('startupz', 'Whether startup has finished.', [operator], { 503: unhealthy }),
};
