// Paths of the public API: assets, from the answer table, and documents for monitoring. No token.
import { answers, answerWords } from '../../machines/answer.ts';
import type { PathItem } from './operator-paths.ts';
import {
  type Answer,
  type Answers,
  always,
  type Headers,
  requestId,
  requestIdParameter,
  sometimes,
} from './response.ts';
import { oneOf, ref, text } from './schema.ts';

const servers = [
  { url: 'http://localhost:3334/api/v1', description: 'the public port, by default' },
  {
    url: '{scheme}://{host}:{port}/api/v1',
    description: 'the public port of any node',
    variables: {
      scheme: { default: 'http', enum: ['http', 'https'] },
      host: { default: 'localhost' },
      port: { default: '3334' },
    },
  },
];

/** On every answer of the public API. */
const everywhere: Headers = {
  'Access-Control-Allow-Origin': always('any site may read it', { const: '*' }),
  'X-Content-Type-Options': always('no MIME sniffing', { const: 'nosniff' }),
  'X-Request-Id': requestId,
};

const forPlayers: Headers = {
  ...everywhere,
  'Access-Control-Expose-Headers': always('headers that players on other origins may read'),
  'Timing-Allow-Origin': always('any site may read its timing', { const: '*' }),
  'Cross-Origin-Resource-Policy': always('any site may embed it', { const: 'cross-origin' }),
};

/** On responses that may or may not concern an object. */
const players: Headers = Object.fromEntries(
  Object.entries(forPlayers).map(([name, header]) => [
    name,
    { ...header, required: everywhere[name]?.required ?? false },
  ]),
);

const notKept: Headers = { 'Cache-Control': always('may change at any time', { const: 'no-store' }) };

const refusal = (description: string, headers: Headers = {}): Answer => ({
  description,
  headers: { ...forPlayers, ...notKept, ...headers },
  content: { 'application/json': { schema: ref('ErrorResponse') } },
});

const asset: Headers = {
  ...forPlayers,
  'Accept-Ranges': always('byte ranges are supported', { const: 'bytes' }),
  'Cache-Control': always('a year for a verified copy, otherwise three minutes, as while it arrives'),
  'Content-Disposition': always('display, do not download', { const: 'inline' }),
  'Content-Security-Policy': sometimes('forbids a type that a browser might execute to do anything'),
  ETag: sometimes('the content hash; only of a verified copy'),
  'X-Cache': always(
    '`hit`: the copy was here; `pending`: it was arriving; `miss`: it had to be fetched',
    oneOf(valuesOf('X-Cache')),
  ),
  'X-Data-Source': always(
    '`local`: from a file of this node, which may be growing; `external`: passed through from a source',
    oneOf(valuesOf('X-Data-Source')),
  ),
};

/** Every value of a header in the answer table. */
function valuesOf(header: string): string[] {
  return [...new Set(Object.values(answers).flatMap(({ headers }) => headers[header] ?? []))];
}

/** The messages of all answers with this status. */
const wordsOf = (status: number): string =>
  answerWords
    .filter((word) => answers[word].status === status && answers[word].message !== null)
    .map((word) => `\`${word}\`: ${answers[word].message}`)
    .join('; ');

const common = { tags: ['public'], security: [], servers };

const bytes = { '*/*': { schema: { type: 'string', format: 'binary' } } };
const objectId = {
  name: 'objectId',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9]+$' },
  example: '1',
};
const conditions = [
  ...['Range', 'If-Range', 'If-Match', 'If-None-Match'].map((name) => ({
    name,
    in: 'header',
    description: 'as in RFC 9110',
    schema: text(),
  })),
  requestIdParameter,
];

const assetAnswers: Answers = {
  200: { description: 'The whole object.', headers: asset, content: bytes },
  206: {
    description: 'The requested range. A request for several ranges gets the whole object, 200.',
    headers: { ...asset, 'Content-Range': always('the range and the total size') },
    content: bytes,
  },
  304: { description: 'Not modified.', headers: asset },
  404: refusal(wordsOf(404)),
  412: refusal('`If-Match` names another object.'),
  413: refusal('Requests must not have a body.', {
    Connection: sometimes('the connection is closed without reading the body'),
  }),
  416: refusal('The range lies outside the object.', {
    'Content-Range': always('the total size'),
    'Accept-Ranges': always('byte ranges are supported', { const: 'bytes' }),
  }),
  421: refusal(wordsOf(421)),
  500: refusal('The copy could not be read.'),
  502: refusal(wordsOf(502), { 'Retry-After': always('seconds') }),
  503: refusal(`${wordsOf(503)}; \`overloaded\`: The node is overloaded`, { 'Retry-After': always('seconds') }),
};

const withoutBody = (all: Answers): Answers =>
  Object.fromEntries(Object.entries(all).map(([status, { content: _, ...answer }]) => [status, answer]));

export const preflight: Answers = {
  204: {
    description: 'What pages of other origins may request.',
    headers: {
      ...players,
      Allow: always('the supported methods'),
      'Access-Control-Allow-Methods': always('the supported methods'),
      'Access-Control-Allow-Headers': always('the request headers allowed'),
      'Access-Control-Max-Age': always('seconds to cache this answer'),
    },
  },
  413: { ...refusal('Requests must not have a body.'), headers: { ...players, ...notKept } },
};

/** For paths other than assets. */
export const noBody: Answer = {
  ...refusal('Requests must not have a body.'),
  headers: { ...everywhere, ...notKept, Connection: sometimes('the connection is closed') },
};

function document(name: string, summary: string, schema: string): PathItem {
  const headers = { ...everywhere, ...notKept };
  const responses: Answers = {
    200: { description: summary, headers, content: { 'application/json': { schema: ref(schema) } } },
    413: noBody,
  };

  return {
    get: { operationId: `public.${name}`, ...common, summary, responses },
    head: { operationId: `public.${name}Head`, ...common, summary, responses: withoutBody(responses) },
    options: { operationId: `public.${name}Options`, ...common, summary: 'CORS preflight.', responses: preflight },
  };
}

export const publicPaths: Readonly<Record<string, PathItem>> = {
  '/assets/{objectId}': {
    parameters: [objectId],
    get: {
      ...common,
      operationId: 'public.asset',
      summary: 'The bytes of a data object, whole or in part.',
      parameters: conditions,
      responses: assetAnswers,
    },
    head: {
      ...common,
      operationId: 'public.assetHead',
      summary: 'The headers of GET, without the bytes.',
      parameters: conditions,
      responses: withoutBody(assetAnswers),
    },
    options: {
      ...common,
      operationId: 'public.assetOptions',
      summary: 'CORS preflight.',
      responses: preflight,
    },
  },
  '/status': document('status', 'Status of the node, for monitoring.', 'StatusResponse'),
  '/buckets': document('buckets', 'The buckets this node distributes.', 'BucketsResponse'),
};

/** Responses to unknown paths and methods. */
export const publicOtherwise: Answers = {
  404: { ...refusal('Unknown path.'), headers: { ...everywhere, ...notKept } },
  405: {
    ...refusal('Unsupported method.'),
    headers: { ...players, ...notKept, Allow: always('the supported methods') },
  },
  413: { ...refusal('Requests must not have a body.'), headers: { ...players, ...notKept } },
};
