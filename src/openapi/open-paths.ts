// Paths at the root of the operator port that need no token: metrics and the console.

import type { PathItem } from './operator-paths.ts';
import { type Answer, always, broken, everywhere, notOurs, sometimes } from './response.ts';
import { text } from './schema.ts';

const servers = [{ url: 'http://localhost:3335', description: 'the operator port' }];

const metrics: PathItem = {
  get: {
    servers,
    operationId: 'operator.metrics',
    tags: ['monitoring'],
    summary: 'All metrics, for Prometheus. Never waits.',
    security: [],
    parameters: [
      {
        name: 'Accept',
        in: 'header',
        description: '`application/openmetrics-text` for OpenMetrics 1.0; otherwise text format 0.0.4',
        schema: text(),
      },
    ],
    responses: {
      200: {
        description: 'The metrics.',
        headers: { ...everywhere, Vary: always('`Accept`') },
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
  description: 'The page of the console.',
  headers: {
    ...everywhere,
    'Content-Security-Policy': always('allows only resources of this node'),
    'Cross-Origin-Opener-Policy': sometimes('isolates the page from other windows'),
    'Cross-Origin-Resource-Policy': sometimes('no other site may embed it'),
    'Referrer-Policy': sometimes('links send no referrer'),
  },
  content: { 'text/html': { schema: { type: 'string' } } },
};

const console: PathItem = {
  get: {
    ...{ servers, operationId: 'operator.console', tags: ['console'], security: [] },
    summary: 'The console. The page itself asks for a token.',
    responses: { 200: page, 403: notOurs, 500: broken },
  },
};

export const openPaths: Readonly<Record<string, PathItem>> = {
  '/': console,
  '/metrics': metrics,
};
