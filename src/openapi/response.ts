// Responses of the API description: status, headers and body.
import { requestIdHeader, requestIdPattern } from '../base/request-id.ts';
import { ref, type Schema, text } from './schema.ts';

export interface Header {
  readonly description: string;
  /** Whether every such response has it. */
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

export const requestId = always("the request's own id or a generated one; also in the log", requestIdSchema);

/** Optional with every request, to either API. */
export const requestIdParameter = {
  name: requestIdHeader,
  in: 'header',
  description: 'an id for this request, repeated in the response and in the log',
  schema: requestIdSchema,
};

/** On every response of the operator API. */
export const everywhere: Headers = {
  'Cache-Control': always('not cacheable', { const: 'no-store' }),
  'X-Content-Type-Options': always('no MIME sniffing', { const: 'nosniff' }),
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

const challenge = always('the required kind of token and the error of this one (RFC 6750)');

export const unauthorized = problem('The token is missing or invalid.', ref('Problem'), {
  'WWW-Authenticate': challenge,
});

/** `Host` and `Origin` are checked first. */
export const notOurs = problem('`Host` or `Origin` does not belong to this node (`operatorApi.allowedHosts`).');

export const notForCommands = problem(
  '`Host` or `Origin` does not belong to this node, or the token is read-only.',
  ref('Problem'),
  { 'WWW-Authenticate': sometimes('the required scope (RFC 6750)') },
);

export const broken = problem('Internal error; see the log of the node.');
