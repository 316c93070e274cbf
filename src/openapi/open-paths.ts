// What is at the root of the operator port and needs no token: metrics and the console. Machines and browsers ask for these.

import type { PathItem } from './operator-paths.ts';
import { type Answer, always, broken, everywhere, notOurs, sometimes } from './response.ts';
import { text } from './schema.ts';

const servers = [{ url: 'http://localhost:3335', description: 'the operator port' }];

const metrics: PathItem = {
  get: {
    servers,
    operationId: 'operator.metrics',
    tags: ['monitoring'],
    summary: 'Everything that is counted, for Prometheus. Waits for nobody.',
    security: [],
    parameters: [
      {
        name: 'Accept',
        in: 'header',
        description: '`application/openmetrics-text` for OpenMetrics 1.0; else it is the text format 0.0.4',
        schema: text(),
      },
    ],
    responses: {
      200: {
        description: 'The metrics.',
        headers: { ...everywhere, Vary: always('what the answer depends on') },
        content: {
          'text/plain': { schema: { type: 'string' } },
          'application/openmetrics-text': { schema: { type: 'string' } },
        },
      },
      403: notOurs,
      500: broken,
    },
  },
};

const page: Answer = {
  description: 'A page of the console.',
  headers: {
    ...everywhere,
    'Content-Security-Policy': always('nothing but what this node serves'),
    'Cross-Origin-Opener-Policy': sometimes('no other page has a hand on it'),
    'Cross-Origin-Resource-Policy': sometimes('no other page embeds it'),
    'Referrer-Policy': sometimes('it tells nobody where a reader came from'),
  },
  content: { 'text/html': { schema: { type: 'string' } } },
};

const pagePath = (operationId: string, summary: string): PathItem => ({
  get: {
    ...{ servers, operationId, tags: ['console'], summary, security: [] },
    responses: { 200: page, 403: notOurs, 500: broken },
  },
});

export const openPaths: Readonly<Record<string, PathItem>> = {
  '/': pagePath('operator.console', 'The console. It asks for a token itself.'),
  '/reference': pagePath('operator.reference', 'This description, for people.'),
  '/metrics': metrics,
};
