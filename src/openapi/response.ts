// Answers as the API description has them: a status with its headers and its body.
import { requestIdHeader, requestIdPattern } from '../base/request-id.ts';
import { ref, type Schema, text } from './schema.ts';

export interface Header {
  readonly description: string;
  /** Whether it is there with every such answer. */
  readonly required: boolean;
  readonly schema: Schema;
}

export type Headers = Readonly<Record<string, Header>>;

export interface Answer {
  readonly description: string;
  readonly headers?: Headers;
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
}

export type Answers = Readonly<Record<string, Answer>>;

export const always = (description: string, schema: Schema = text()): Header => ({
  description,
  required: true,
  schema,
});

export const sometimes = (description: string, schema: Schema = text()): Header => ({
  description,
  required: false,
  schema,
});

const requestIdSchema = { type: 'string', pattern: requestIdPattern };

export const requestId = always("the request's own, or one made for it; the log has it too", requestIdSchema);

/** May be sent with every request, to either API. */
export const requestIdParameter = {
  name: requestIdHeader,
  in: 'header',
  description: 'a name for this request, to be found in the answer and in the log',
  schema: requestIdSchema,
};

/** On every answer of the operator API. */
export const everywhere: Headers = {
  'Cache-Control': always('nothing of this is to be kept', { const: 'no-store' }),
  'X-Content-Type-Options': always('the type is the one that is said', { const: 'nosniff' }),
  'X-Request-Id': requestId,
};

export const json = (description: string, schema: Schema, headers: Headers = {}): Answer => ({
  description,
  headers: { ...everywhere, ...headers },
  content: { 'application/json': { schema } },
});

export const problem = (description: string, schema: Schema = ref('Problem'), headers: Headers = {}): Answer => ({
  description,
  headers: { ...everywhere, ...headers },
  content: { 'application/problem+json': { schema } },
});

const challenge = always('which kind of token is wanted, and what was wrong with this one (RFC 6750)');

export const unauthorized = problem('There is no token, or not a right one.', ref('Problem'), {
  'WWW-Authenticate': challenge,
});

/** `Host` and `Origin` are looked at before anything else. */
export const notOurs = problem('`Host` or `Origin` is not of this node (`operatorApi.allowedHosts`).');

export const notForCommands = problem(
  '`Host` or `Origin` is not of this node, or the token is for reading only.',
  ref('Problem'),
  { 'WWW-Authenticate': sometimes('the scope that is wanted (RFC 6750)') },
);

export const broken = problem('Something went wrong inside the node; its log says what.');
