// Health, for those who start, restart and balance nodes: on the operator port, and readiness on the public one too.

import type { PathItem } from './operator-paths.ts';
import { noBody, preflight } from './public-paths.ts';
import { type Answer, type Answers, everywhere, notOurs, sometimes } from './response.ts';

const operator = { url: 'http://localhost:3335', description: 'the operator port' };
const viewers = { url: 'http://localhost:3334', description: 'the public port' };

const answerOf = (description: string): Answer => ({
  description,
  headers: { ...everywhere, 'Access-Control-Allow-Origin': sometimes('on the public port', { const: '*' }) },
  content: { 'text/plain': { schema: { type: 'string' } } },
});

const healthPath = (name: string, summary: string, servers: readonly object[], more: Answers = {}): PathItem => ({
  get: {
    ...{ servers, operationId: `health.${name}`, tags: ['monitoring'], summary, security: [] },
    responses: { 200: answerOf('`ok`'), 403: notOurs, ...more },
  },
});

const unhealthy = answerOf('Not so, and why.');

export const healthPaths: Readonly<Record<string, PathItem>> = {
  '/livez': healthPath('livez', 'Whether the process answers.', [operator]),
  '/readyz': {
    ...healthPath('readyz', 'Whether viewers may be sent here.', [operator, viewers], { 413: noBody, 503: unhealthy }),
    options: {
      ...{ servers: [viewers], operationId: 'health.readyzOptions', tags: ['monitoring'], security: [] },
      ...{ summary: 'For browsers.', responses: preflight },
    },
  },
  '/startupz': healthPath('startupz', 'Whether the start-up is over.', [operator], { 503: unhealthy }),
};
