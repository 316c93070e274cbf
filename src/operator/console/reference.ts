// The reference page: the node's own OpenAPI document, one card for each operation.
import { apiBase } from './api.ts';
import { byId, type Child, fill, h, setText } from './dom.ts';
import { type Schema, schemaText } from './schema-text.ts';

interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value?: unknown; readonly summary?: string }>>;
}

interface Message {
  readonly $ref?: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Parameter {
  readonly $ref?: string;
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Message;
  readonly responses?: Readonly<Record<string, Message>>;
  readonly 'x-codeSamples'?: readonly { readonly lang: string; readonly label?: string; readonly source: string }[];
}

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly servers?: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

const methods = ['get', 'head', 'post', 'put', 'patch', 'delete'];

async function load(): Promise<void> {
  const status = byId('reference-status');
  try {
    const response = await fetch(`${apiBase}/openapi.json`, { cache: 'no-store' });
    if (!response.ok) return setText(status, `This node does not describe its API (${response.status}).`);
    show(await response.json());
  } catch {
    setText(status, 'The node does not answer. Reload this page once it is back.');
  }
}

function show(document: Document): void {
  const { info, servers = [], components } = document;
  setText(byId('name'), info.title);
  setText(byId('about'), `version ${info.version}${servers[0] ? `, ${servers[0].url}` : ''}`);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) =>
      item[method] ? [{ path, method, operation: item[method], id: `${method} ${path}`.replace(/\W+/g, '-') }] : [],
    ),
  );
  const schemas = Object.entries(components?.schemas ?? {});
  fill(
    byId('reference'),
    info.description && h('section', { class: 'intro' }, info.description),
    h(
      'nav',
      { class: 'contents', 'aria-label': 'Operations' },
      ...operations.map(({ id, method, path }) =>
        h('a', { href: `#${id}` }, h('code', {}, `${method.toUpperCase()} ${path}`)),
      ),
    ),
    ...operations.map(({ id, method, path, operation }) => operationCard(document, id, method, path, operation)),
    schemas.length > 0 && h('section', { class: 'group' }, h('h2', {}, 'Schemas')),
    ...schemas.map(([name, schema]) => schemaCard(name, schema)),
  );
}

function operationCard(
  document: Document,
  id: string,
  method: string,
  path: string,
  operation: Operation,
): HTMLElement {
  const { summary, description, requestBody, parameters = [], responses = {} } = operation;
  const resolved = parameters.map((parameter) => follow(document, parameter));
  const body = requestBody && follow(document, requestBody);
  return h(
    'section',
    { class: 'operation', id, 'aria-labelledby': `${id}-title` },
    h('h3', { id: `${id}-title` }, h('span', { class: 'method' }, method.toUpperCase()), path),
    summary && h('p', {}, summary),
    description && description !== summary && h('p', { class: 'about' }, description),
    resolved.length > 0 && h('h4', {}, 'Parameters'),
    resolved.length > 0 &&
      rows(
        resolved.map((one) => [
          `${one.name}${one.required ? '' : '?'}`,
          `${one.in}${one.schema ? `, ${schemaText(one.schema)}` : ''}. ${one.description ?? ''}`,
        ]),
      ),
    body && h('h4', {}, `Body${body.required ? '' : ', optional'}`),
    ...(body ? contentOf(body) : []),
    h('h4', {}, 'Answers'),
    rows(Object.entries(responses).map(([status, answer]) => [status, answerText(follow(document, answer))])),
    ...samplesOf(operation),
  );
}

function answerText({ description = '', content = {} }: Message): string {
  const kinds = Object.entries(content).map(([type, { schema }]) => (schema ? `${type}: ${schemaText(schema)}` : type));
  return [description, ...kinds].filter(Boolean).join(' — ');
}

function contentOf({ content = {} }: Message): Child[] {
  return Object.entries(content).flatMap(([type, { schema, example, examples = {} }]) => [
    schema && h('p', { class: 'about' }, `${type}: ${schemaText(schema)}`),
    example !== undefined && sample(JSON.stringify(example)),
    ...Object.values(examples).map(({ value }) => sample(JSON.stringify(value))),
  ]);
}

const samplesOf = (operation: Operation): Child[] =>
  (operation['x-codeSamples'] ?? []).flatMap(({ lang, label, source }) => [h('h4', {}, label ?? lang), sample(source)]);

/** Wide samples scroll within themselves, by keyboard too. */
const sample = (text: string): HTMLElement => h('pre', { tabindex: 0 }, text);

function schemaCard(name: string, schema: Schema): HTMLElement {
  const members = Object.entries(schema.properties ?? {});
  return h(
    'section',
    { class: 'operation', id: `schema-${name}`, 'aria-label': name },
    h('h3', {}, name),
    schema.description && h('p', {}, schema.description),
    members.length === 0 && h('p', { class: 'about' }, schemaText(schema)),
    members.length > 0 &&
      rows(
        members.map(([key, one]) => [
          `${key}${schema.required?.includes(key) ? '' : '?'}`,
          [schemaText(one), one.description].filter(Boolean).join('. '),
        ]),
      ),
  );
}

const rows = (cells: readonly (readonly [string, string])[]): HTMLElement =>
  h('table', {}, h('tbody', {}, ...cells.map(([name, text]) => h('tr', {}, h('td', {}, name), h('td', {}, text)))));

/** What a local `$ref` stands for. */
function follow<T extends { readonly $ref?: string }>(document: Document, one: T): T {
  if (one.$ref === undefined) return one;
  let at: unknown = document;
  for (const part of one.$ref.replace(/^#\//, '').split('/')) at = (at as Record<string, unknown>)[part];
  return at as T;
}

void load();
