// What is under `/api/v1` of the operator port: the commands, from their table, and what can be read.
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
  description: '`true`: say what would happen, and do nothing',
  schema: { type: 'boolean', default: false },
};

const ifMatch = {
  name: 'If-Match',
  in: 'header',
  description: 'ETags of states for which the command is meant; 412 where the node has moved on',
  schema: text(),
};

const ofState = (how: typeof always) => ({
  ETag: how('of the state: to be sent as `If-Match` of a command'),
  'Content-Location': how('whose document this is', { const: '/api/v1/state' }),
});

/** `operator.stopApi`: the names that clients generated from the peer's description have. */
const operationId = (name: CommandName): string =>
  `operator.${name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}`;

const invalid = problem('The body, `If-Match` or `dryRun` is not right.', ref('InvalidRequest'));
const moved = problem('The node has moved on from the state in `If-Match`.', ref('Moved'));
const tooLarge = problem('The body is longer than `operatorApi.maxBodyBytes`.');
const unsupported = problem('The body is not plain `application/json` in UTF-8.', ref('Problem'), {
  'Accept-Encoding': sometimes('bodies must not be compressed', { const: 'identity' }),
});
const failed = problem('It could not be carried out, and why; nothing has changed but what the state says.');

/** What many operations answer, by its name among the components. */
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
      'Done, and this is the node now; with `dryRun=true`, what would have been done.',
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
      requestBody: { required: needsBody, description: needsBody ? '' : 'May be left out.', content },
      responses,
      'x-codeSamples': samplesFor('POST', `${operatorUrl}/${name}`, example),
    },
  };
}

const state: PathItem = {
  get: {
    operationId: 'operator.state',
    tags: ['reads'],
    summary: 'The node as it is. Never waits.',
    security: secured,
    parameters: [
      { name: 'If-None-Match', in: 'header', description: 'ETags of states known already', schema: text() },
      requestIdParameter,
    ],
    responses: {
      200: json('The state.', ref('State'), ofState(always)),
      304: { description: 'It is as it was.', headers: { ...everywhere, ...ofState(always) } },
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
    summary: 'What happens, as Server-Sent Events. Begins with everything as it is now.',
    security: secured,
    parameters: [
      {
        name: 'Last-Event-ID',
        in: 'header',
        description: 'of the last event seen: those that can be resumed and were missed come first',
        schema: { type: 'string', pattern: '^[0-9]+-[0-9]+$' },
      },
    ],
    responses: {
      200: {
        description: 'The stream. A comment now and then says that it lives; it ends after the event `end`.',
        headers: { ...everywhere, 'X-Accel-Buffering': always('for proxies on the way', { const: 'no' }) },
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
      503: problem('There are as many readers as there may be.', ref('Problem'), {
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

/** Where none of the paths, or none of a path's methods, is meant. */
export const operatorOtherwise: Answers = {
  403: notOurs,
  404: problem('There is nothing at this path.'),
  405: problem('The path does not have this method.', ref('Problem'), { Allow: always('the methods it has') }),
};
