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

const description = `Controls a distributor node: stops and starts its public API, shuts it down, and sets its worker and
buckets. One state machine decides which commands are legal; an illegal command is a 409 with the reason.

The public API on the other port is described here too: its operations have their own \`servers\`. This document needs no
token and describes every response of the node.

Unknown paths are 404; unsupported methods are 405 with \`Allow\`. Every GET path also supports HEAD.
Errors of the HTTP parser (400, 408, 431) have no body.`;

const tags = [
  { name: 'commands', description: 'Commands, carried out one at a time in order of arrival.' },
  { name: 'reads', description: 'Reads. A token of scope `read` is enough.' },
  { name: 'monitoring', description: 'Metrics and health. No token.' },
  { name: 'console', description: 'The web console. No token to load.' },
  { name: 'public', description: 'The public API, for viewers and monitoring. No token.' },
];

const bearer = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } as const;

const securitySchemes = {
  accessToken: {
    ...bearer,
    description:
      'Valid for many requests until it expires: HS256, signed with the operator secret; claims `iat`, `exp`, and optionally `sub`, `scope` (`operate` or `read`) and `aud` (the id of the node). Made by `distributor-node token`.',
  },
  requestToken: {
    ...bearer,
    description:
      'Bound to one request, accepted once: HS256, signed with the operator secret; claims `reqUrl` (path and query), `reqBody` (the parsed body) or `reqBodyHash` (base64url SHA-256 of its bytes), `iat` (at most 5 minutes old), and optionally `exp`, `jti`, `sub` and `aud`.',
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
    summary: 'Controls a node that serves data objects to nearby viewers.',
    description,
    license: { name: 'GPL-3.0-only', identifier: 'GPL-3.0-only' },
    contact: { name: 'Support', email: 'info@joystream.org' },
  },
  servers: [
    { url: operatorUrl, description: 'the operator port, by default' },
    { url: '/api/v1', description: 'the node that serves this document' },
  ],
  tags,
  paths,
  components: {
    securitySchemes,
    responses,
    headers,
    schemas: { ...bodySchemas, ...stateSchemas, ...problemSchemas, ...eventComponents, ...publicSchemas },
  },
  /** Responses to requests that match no path above. */
  'x-otherwise': { operator: operatorOtherwise, public: publicOtherwise },
} as const;
