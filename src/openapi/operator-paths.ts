// Paths under `/api/v1` of the operator port: commands, from the command table, and reads.
import { type CommandName, commandNames, commands } from '../../machines/commands.ts';
import { bodyOf } from './body-schemas.ts';
import { refusalOf } from './problem-schemas.ts';
import {
  type Answer,
  type Answers,
  always,
  broken,
  everywhere,
  json,
  notForCommands,
  notOurs,
  problem,
  requestIdParameter,
  sometimes,
  unauthorized,
} from './response.ts';
import { sampleBody, samplesFor } from './samples.ts';
import { ref, text } from './schema.ts';

export const operatorUrl = 'http://localhost:3335/api/v1';

export type PathItem = Readonly<Record<string, unknown>>;

const secured = [{ accessToken: [] }, { requestToken: [] }];

const dryRun = {
  name: 'dryRun',
  in: 'query',
  description: '`true`: preview the command without carrying it out',
  schema: { type: 'boolean', default: false },
};

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  description: 'ETags of `state`; 412 if the desired state has changed since',
  schema: text(),
};

const ofState = (how: typeof always) => ({
  ETag: how('of the state; usable as `If-Match` of a command'),
  'Content-Location': how('URL of the document in the body', { const: '/api/v1/state' }),
});

/** `operator.stopApi`: the names in clients generated from the peer's description. */
const operationId = (name: CommandName): string =>
  `operator.${name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}`;

const invalid = problem('The body, `If-Match` or `dryRun` is invalid.', ref('InvalidRequest'));
const moved = problem('The desired state has changed since the one in `If-Match`.', ref('Moved'));
const tooLarge = problem('The body is longer than `operatorApi.maxBodyBytes`.');
const unsupported = problem('The body is not plain `application/json` in UTF-8.', ref('Problem'), {
  'Accept-Encoding': sometimes('bodies must not be compressed', { const: 'identity' }),
});
const failed = problem('The command failed; the detail is the reason. `state` shows what changed, if anything.');

/** Shared responses by component name. */
export const sharedAnswers: Readonly<Record<string, Answer>> = {
  ...{ Invalid: invalid, Unauthorized: unauthorized, NotOurs: notOurs, NotForCommands: notForCommands },
  ...{ Moved: moved, TooLarge: tooLarge, Unsupported: unsupported, Failed: failed, Broken: broken },
};

function commandPath(name: CommandName): PathItem {
  const { summary, input } = commands[name];
  const example = sampleBody(input);
  const content = { 'application/json': { schema: bodyOf(name), ...(example && { example }) } };
  const needsBody = input.required.length > 0;
  const responses: Answers = {
    200: json(
      'Done; the body is the new state. With `dryRun=true`, a preview.',
      { oneOf: [ref('State'), ref('Preview')] },
      ofState(sometimes),
    ),
    400: invalid,
    401: unauthorized,
    403: notForCommands,
    409: problem('The command is not legal in this state.', refusalOf(name)),
    412: moved,
    413: tooLarge,
    415: unsupported,
    500: failed,
  };
  return {
    post: {
      operationId: operationId(name),
      tags: ['commands'],
      summary,
      security: secured,
      parameters: [dryRun, ifMatch, requestIdParameter],
      requestBody: { required: needsBody, description: needsBody ? '' : 'Optional.', content },
      responses,
      'x-codeSamples': samplesFor('POST', `${operatorUrl}/${name}`, example),
    },
  };
}

const state: PathItem = {
  get: {
    operationId: 'operator.state',
    tags: ['reads'],
    summary: 'The current state of the node. Never waits.',
    security: secured,
    parameters: [
      { name: 'If-None-Match', in: 'header', description: 'ETags of cached states', schema: text() },
      requestIdParameter,
    ],
    responses: {
      200: json('The state.', ref('State'), ofState(always)),
      304: { description: 'Not modified.', headers: { ...everywhere, ...ofState(always) } },
      401: unauthorized,
      403: notOurs,
      500: broken,
    },
    'x-codeSamples': samplesFor('GET', `${operatorUrl}/state`),
  },
};

const events: PathItem = {
  get: {
    operationId: 'operator.events',
    tags: ['reads'],
    summary: 'A stream of Server-Sent Events, beginning with the current state.',
    security: secured,
    parameters: [
      {
        name: 'Last-Event-ID',
        in: 'header',
        description: 'id of the last event received; the stream first repeats the resumable events that were missed',
        schema: { type: 'string', pattern: '^[0-9]+-[0-9]+$' },
      },
    ],
    responses: {
      200: {
        description: 'The stream. Comments serve as heartbeats; the stream ends after the event `end`.',
        headers: { ...everywhere, 'X-Accel-Buffering': always('disables buffering in proxies', { const: 'no' }) },
        content: {
          'text/event-stream': {
            schema: {
              type: 'string',
              contentMediaType: 'text/event-stream',
              contentSchema: { type: 'array', items: ref('Event') },
            },
          },
        },
      },
      401: unauthorized,
      403: notOurs,
      500: broken,
      503: problem('Too many readers (`operatorApi.maxEventReaders`).', ref('Problem'), {
        'Retry-After': always('seconds', { type: 'string', pattern: '^[0-9]+$' }),
      }),
    },
  },
};

const openapi: PathItem = {
  get: {
    operationId: 'operator.openapi',
    tags: ['reads'],
    summary: 'This description.',
    security: [],
    responses: { 200: json('OpenAPI 3.1.', { type: 'object' }), 403: notOurs, 500: broken },
  },
};

export const operatorPaths: Readonly<Record<string, PathItem>> = {
  ...Object.fromEntries(commandNames.map((name) => [`/${name}`, commandPath(name)])),
  '/state': state,
  '/events': events,
  '/openapi.json': openapi,
};

/** Responses to unknown paths and methods. */
export const operatorOtherwise: Answers = {
  403: notOurs,
  404: problem('Unknown path.'),
  405: problem('Unsupported method.', ref('Problem'), { Allow: always('the supported methods') }),
};
