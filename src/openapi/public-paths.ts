// The public API: objects from the table of answers, and what monitors read. Nothing here needs a token.
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
  { url: 'http://localhost:3334/api/v1', description: 'the public port as it is without a config' },
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
  'Access-Control-Allow-Origin': always('any page may read it', { const: '*' }),
  'X-Content-Type-Options': always('the type is the one that is said', { const: 'nosniff' }),
  'X-Request-Id': requestId,
};

const forPlayers: Headers = {
  ...everywhere,
  'Access-Control-Expose-Headers': always('what a player on another origin may read'),
  'Timing-Allow-Origin': always('any page may time it', { const: '*' }),
  'Cross-Origin-Resource-Policy': always('any page may embed it', { const: 'cross-origin' }),
};

/** On what may or may not be about an object. */
const players: Headers = Object.fromEntries(
  Object.entries(forPlayers).map(([name, header]) => [
    name,
    { ...header, required: everywhere[name]?.required ?? false },
  ]),
);

const notKept: Headers = { 'Cache-Control': always('it may be different a moment later', { const: 'no-store' }) };

const refusal = (description: string, headers: Headers = {}): Answer => ({
  description,
  headers: { ...forPlayers, ...notKept, ...headers },
  content: { 'application/json': { schema: ref('ErrorResponse') } },
});

const asset: Headers = {
  ...forPlayers,
  'Accept-Ranges': always('ranges of bytes may be asked for', { const: 'bytes' }),
  'Cache-Control': always('a year for what has been verified, else three minutes'),
  'Content-Disposition': always('to be shown', { const: 'inline' }),
  ETag: sometimes('the content hash; only of what has been verified'),
  'X-Cache': always('where it came from', oneOf(valuesOf('X-Cache'))),
  'X-Data-Source': always('local: from this node', oneOf(valuesOf('X-Data-Source'))),
};

/** Every value a header has in the table of answers. */
function valuesOf(header: string): string[] {
  return [...new Set(Object.values(answers).flatMap(({ headers }) => headers[header] ?? []))];
}

/** What all the words with this status say. */
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
    description: 'The range asked for. Several ranges at once: the whole object, 200.',
    headers: { ...asset, 'Content-Range': always('which part of how many bytes') },
    content: bytes,
  },
  304: { description: 'It is the one that is known already.', headers: asset },
  404: refusal(`${wordsOf(404)}; \`absent\`: no copy here`),
  412: refusal('It is not the object in `If-Match`.'),
  413: refusal('No request here needs a body.', { Connection: sometimes('the rest is not read') }),
  416: refusal('The range lies beyond the object.', {
    'Content-Range': always('how many bytes there are'),
    'Accept-Ranges': always('ranges of bytes may be asked for', { const: 'bytes' }),
  }),
  421: refusal(wordsOf(421)),
  500: refusal('The copy could not be read.'),
  503: refusal('The node is overloaded.', { 'Retry-After': always('seconds') }),
};

const withoutBody = (all: Answers): Answers =>
  Object.fromEntries(Object.entries(all).map(([status, { content: _, ...answer }]) => [status, answer]));

export const preflight: Answers = {
  204: {
    description: 'What a page of another origin may ask for.',
    headers: {
      ...players,
      Allow: always('the methods there are'),
      'Access-Control-Allow-Methods': always('likewise'),
      'Access-Control-Allow-Headers': always('what a request may carry'),
      'Access-Control-Max-Age': always('seconds for which this holds'),
    },
  },
  413: { ...refusal('No request here needs a body.'), headers: { ...players, ...notKept } },
};

/** Of what is not about an object. */
export const noBody: Answer = {
  ...refusal('No request here needs a body.'),
  headers: { ...everywhere, ...notKept, Connection: sometimes('it ends') },
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
    options: { operationId: `public.${name}Options`, ...common, summary: 'For browsers.', responses: preflight },
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
      summary: 'What GET would say, without the bytes.',
      parameters: conditions,
      responses: withoutBody(assetAnswers),
    },
    options: {
      ...common,
      operationId: 'public.assetOptions',
      summary: 'For browsers.',
      responses: preflight,
    },
  },
  '/status': document('status', 'How the node is, for monitors.', 'StatusResponse'),
  '/buckets': document('buckets', 'Which buckets the node distributes.', 'BucketsResponse'),
};

/** Where none of the paths, or none of a path's methods, is meant. */
export const publicOtherwise: Answers = {
  404: { ...refusal('There is nothing at this path.'), headers: { ...everywhere, ...notKept } },
  405: {
    ...refusal('The path does not have this method.'),
    headers: { ...players, ...notKept, Allow: always('the methods it has') },
  },
  413: { ...refusal('No request here needs a body.'), headers: { ...players, ...notKept } },
};
