// The whole API description: one OpenAPI 3.1 document for the operator API and the public one.
import { version } from '../base/version.ts';
import { bodySchemas } from './body-schemas.ts';
import { eventComponents } from './event-schemas.ts';
import { healthPaths } from './health-paths.ts';
import { hoist } from './hoist.ts';
import { openPaths } from './open-paths.ts';
import { operatorOtherwise, operatorPaths, operatorUrl, sharedAnswers } from './operator-paths.ts';
import { problemSchemas } from './problem-schemas.ts';
import { publicOtherwise, publicPaths } from './public-paths.ts';
import { publicSchemas } from './public-schemas.ts';
import { stateSchemas } from './state-schemas.ts';

const description = `Steers a distributor node: stop and start its public API, shut it down, say which worker its operator is and which
buckets it distributes. One state machine decides which command is legal; what it refuses is a 409 that says why.

The public API, at another port, is described here too: its operations have their own \`servers\`. So one document, which needs
no token, has every answer that the node gives.

Unknown paths are answered with 404, methods that a path does not have with 405 and \`Allow\`. HEAD is answered wherever GET
is. What the HTTP parser itself refuses (400, 408, 431) has no body.`;

const tags = [
  { name: 'commands', description: 'What an operator may order. One at a time, in order of arrival.' },
  { name: 'reads', description: 'What an operator may ask. A token of scope `read` is enough.' },
  { name: 'monitoring', description: 'For machines that watch the node. No token.' },
  { name: 'console', description: 'The operator’s page.' },
  { name: 'public', description: 'What viewers and monitors ask of the public port. No token.' },
];

const bearer = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } as const;

const securitySchemes = {
  accessToken: {
    ...bearer,
    description:
      'For many requests, until it expires: HS256, signed with the operator secret; claims `iat`, `exp`, and optionally `sub`, `scope` (`operate` or `read`) and `aud` (the id of the node). Made by `distributor-node token`.',
  },
  requestToken: {
    ...bearer,
    description:
      'For one request, and taken once: HS256, signed with the operator secret; claims `reqUrl` (path and query), `reqBody` (the parsed body) or `reqBodyHash` (base64url SHA-256 of its bytes), `iat` (at most 5 minutes old), and optionally `exp`, `jti`, `sub` and `aud`.',
  },
};

const { paths, responses, headers } = hoist(
  { ...operatorPaths, ...openPaths, ...healthPaths, ...publicPaths },
  sharedAnswers,
);

export const openapiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Distributor node operator API',
    version,
    summary: 'Steers a node that serves data objects to viewers near it.',
    description,
    license: { name: 'GPL-3.0-only', identifier: 'GPL-3.0-only' },
    contact: { name: 'Support', email: 'info@joystream.org' },
  },
  servers: [
    { url: operatorUrl, description: 'the operator port as it is without a config' },
    { url: '/api/v1', description: 'the node this document comes from' },
  ],
  tags,
  paths,
  components: {
    securitySchemes,
    responses,
    headers,
    schemas: { ...bodySchemas, ...stateSchemas, ...problemSchemas, ...eventComponents, ...publicSchemas },
  },
  /** Where no path above is meant. */
  'x-otherwise': { operator: operatorOtherwise, public: publicOtherwise },
} as const;
