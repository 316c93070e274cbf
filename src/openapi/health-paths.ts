// Health, for those who start, restart and balance nodes: on the operator port, and readiness on the public one too.
import { type Answer, everywhere, notOurs, sometimes } from './answer.ts';
import type { PathItem } from './operator-paths.ts';

const operator = { url: 'http://localhost:3335', description: 'the operator port' };
const viewers = { url: 'http://localhost:3334', description: 'the public port' };

const answerOf = (description: string): Answer => ({
  description,
  headers: { ...everywhere, 'Access-Control-Allow-Origin': sometimes('on the public port', { const: '*' }) },
  content: { 'text/plain': { schema: { type: 'string' } } },
});

const healthPath = (name: string, summary: string, servers: readonly object[], canFail = true): PathItem => ({
  get: {
    servers,
    operationId: `health.${name}`,
    tags: ['monitoring'],
    summary,
    security: [],
    responses: {
      200: answerOf('`ok`'),
      403: notOurs,
      ...(canFail && { 503: answerOf('Not so, and why.') }),
    },
  },
});

export const healthPaths: Readonly<Record<string, PathItem>> = {
  '/livez': healthPath('livez', 'Whether the process answers.', [operator], false),
  '/readyz': healthPath('readyz', 'Whether viewers may be sent here.', [operator, viewers]),
  '/startupz': healthPath('startupz', 'Whether the start-up is over.', [operator]),
};
