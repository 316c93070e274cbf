// Holds every answer a test sees against the API description: what it does not describe must not be answered.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { openapiDocument } from '../../src/openapi/openapi-document.ts';
import type { Answer, Answers } from '../../src/openapi/response.ts';

export interface Exchange {
  readonly method: string;
  /** As sent; in absolute form too. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
}

export type Api = 'operator' | 'public';

interface Operation {
  readonly responses: Answers;
  readonly servers?: readonly { readonly url: string }[];
}

type PathItem = Readonly<Record<string, unknown>> & {
  readonly get?: { readonly servers?: readonly { readonly url: string }[] };
};

const ports: Readonly<Record<Api, string>> = { operator: ':3335', public: ':3334' };

const routes = { operator: routesOf('operator'), public: routesOf('public') };

/** Of the transport, whatever is answered. */
const transport = [
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
  'trailer',
];

/** Members that are not described are errors here, though clients must bear with them. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const closed = copy.type === 'object' && 'properties' in copy && !('additionalProperties' in copy);
  return closed ? { ...copy, additionalProperties: false } : copy;
}

const ajv = new Ajv2020({
  strict: false,
  allErrors: true,
  formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, binary: true, 'bucket-id': true },
});
ajv.addSchema(strict({ components: openapiDocument.components }) as object, 'api');

const compiled = new WeakMap<object, ValidateFunction>();

function validatorOf(schema: object): ValidateFunction {
  const known = compiled.get(schema);
  if (known) return known;
  const text = JSON.stringify(strict(schema)).replaceAll('"#/components', '"api#/components');
  const validate = ajv.compile(JSON.parse(text));
  compiled.set(schema, validate);
  return validate;
}

/** What the description does not say of this answer; none: it says it all. */
export function undescribed(api: Api, exchange: Exchange): string[] {
  const path = exchange.path.replace(/^https?:\/\/[^/?#]*/i, '').replace(/\?.*$/s, '');
  // The modules of the console are its own matter.
  if (api === 'operator' && path.startsWith('/console/') && exchange.status === 200) return [];
  const { answer, where } = answerFor(api, path, exchange);
  if (answer === undefined) return [`${where}: no ${exchange.status}`];
  return [...headerErrors(answer, exchange), ...bodyErrors(answer, exchange)].map((error) => `${where}: ${error}`);
}

/** @throws {Error} that names everything the description does not say of this answer */
export function expectDescribed(api: Api, exchange: Exchange): void {
  const errors = undescribed(api, exchange);
  if (errors.length === 0) return;
  const { method, path, status } = exchange;
  const what = `${method} ${path.slice(0, 100)} was answered with ${status}`;
  throw new Error(`${what}, which src/openapi does not describe:\n  ${errors.slice(0, 10).join('\n  ')}`);
}

function answerFor(
  api: Api,
  path: string,
  { method, status }: Pick<Exchange, 'method' | 'status'>,
): { answer?: Answer | undefined; where: string } {
  const item = itemFor(api, path);
  const found = item?.[method.toLowerCase()] ?? (method === 'HEAD' ? item?.get : undefined);
  const operation = found as Operation | undefined;
  // A path that both ports have may have other methods on each.
  const isHere = (operation?.servers ?? openapiDocument.servers).some(({ url }) => url.includes(ports[api]));
  if (operation !== undefined && isHere) {
    return { answer: resolved(operation.responses[status]), where: `${method} ${path}` };
  }
  const otherwise: Answers = openapiDocument['x-otherwise'][api];
  const where = item === undefined ? 'an unknown path' : 'a method that its path does not have';
  const possible = item === undefined ? [403, 404, 413] : [403, 405, 413];
  return { answer: possible.includes(status) ? otherwise[status] : undefined, where };
}

function itemFor(api: Api, path: string): PathItem | undefined {
  return routes[api].find(({ pattern }) => pattern.test(path))?.item;
}

/** Resolves references, recursively. */
function resolved<T>(value: T | { readonly $ref: string }): T {
  if (typeof value !== 'object' || value === null || !('$ref' in value)) return value as T;
  const steps = value.$ref.slice(2).split('/');
  return steps.reduce<unknown>((place, step) => (place as Record<string, unknown>)[step], openapiDocument) as T;
}

/** The paths of one port, with the bases of their servers before them. */
function routesOf(api: Api): { readonly pattern: RegExp; readonly item: PathItem }[] {
  const items = Object.entries(openapiDocument.paths as Readonly<Record<string, PathItem>>);
  return items.flatMap(([template, item]) => {
    // A command is the only thing that cannot be read.
    const server = (item.get?.servers ?? openapiDocument.servers).find(({ url }) => url.includes(ports[api]));
    if (server === undefined) return [];
    const base = new URL(server.url).pathname.replace(/\/$/, '');
    const source = `${base}${template}`.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[0-9]+');
    return { pattern: new RegExp(`^${source}$`), item };
  });
}

function headerErrors({ headers: described = {} }: Answer, { headers }: Exchange): string[] {
  const rows = new Map(Object.entries(described).map(([name, header]) => [name.toLowerCase(), resolved(header)]));
  const missing = [...rows].filter(([name, { required }]) => required && headers[name] === undefined);
  const wrong = Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined || transport.includes(name)) return [];
    const row = rows.get(name);
    if (row === undefined) return [`the header ${name}: ${value}`];
    const validate = validatorOf(row.schema);
    return validate(String(value)) ? [] : [`${name}: ${value}: ${ajv.errorsText(validate.errors)}`];
  });
  return [...missing.map(([name]) => `no header ${name}`), ...wrong];
}

function bodyErrors({ content }: Answer, { method, headers, text }: Exchange): string[] {
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  if (text === '' && (method === 'HEAD' || content === undefined)) return [];
  if (content === undefined) return [`a body of ${text.length} characters`];
  const media = content[type] ?? content['*/*'];
  if (media === undefined) return [`the type ${type}`];
  if (!type.endsWith('json') || content['*/*'] === media) return [];
  const validate = validatorOf(media.schema);
  return validate(JSON.parse(text)) ? [] : [ajv.errorsText(validate.errors, { separator: '; ' })];
}

/**
 * For clients that keep no more of an answer than its status and its document.
 * @throws {Error}
 */
export function withDescribed<A extends { readonly status: number; readonly document: unknown }>(
  name: string,
  answer: A,
): A {
  const method = name === 'state' ? 'GET' : 'POST';
  const { status, document } = answer;
  const where = answerFor('operator', `/api/v1/${name}`, { method, status });
  const [media] = Object.values(where.answer?.content ?? {});
  const validate = media && validatorOf(media.schema);
  if (validate?.(document)) return answer;
  const error = validate ? ajv.errorsText(validate.errors, { separator: '; ' }) : `no ${status}`;
  throw new Error(`${where.where}: ${error}: ${JSON.stringify(document)}, which src/openapi does not describe`);
}

interface WithEvents {
  readonly schemas: {
    readonly Event: {
      readonly oneOf: readonly { readonly properties: { readonly event: { readonly const: string } } }[];
    };
  };
}

/** What the description does not say of an event's data. */
export function undescribedEvent(event: {
  readonly event: string;
  readonly id?: string;
  readonly data: unknown;
}): string[] {
  const components = openapiDocument.components as unknown as WithEvents;
  const schema = components.schemas.Event.oneOf.find(({ properties }) => properties.event.const === event.event);
  if (schema === undefined) return [`event ${event.event}`];
  const validate = validatorOf(schema);
  if (validate(event as unknown)) return [];
  return [`event ${event.event}: ${ajv.errorsText(validate.errors, { separator: '; ' })}`];
}

/** @throws {Error} in the middle of whatever test listens */
export function expectDescribedEvent(event: Parameters<typeof undescribedEvent>[0]): void {
  const errors = undescribedEvent(event);
  if (errors.length > 0)
    throw new Error(`src/openapi does not describe ${errors.join()}: ${JSON.stringify(event.data)}`);
}
