// One operation of the API on the reference page: parameters, body, answers, samples.
import { type Child, h } from './dom.ts';
import { inline, paragraphs, schemaLine } from './markup.ts';
import { type ApiDocument, type Entry, type Message, type Operation, resolved } from './openapi-reader.ts';

export function operationCard(document: ApiDocument, { id, method, path, base, operation }: Entry): HTMLElement {
  const { summary = '', description = '', parameters = [], requestBody, responses = {} } = operation;
  const taken = parameters.map((one) => resolved(document, one));
  const answers = Object.entries(responses).map(([status, one]) => [status, resolved(document, one)] as const);
  return h(
    'section',
    { class: 'operation', id, 'aria-labelledby': `${id}-title` },
    h(
      'h3',
      { id: `${id}-title` },
      h('span', { class: 'method' }, method.toUpperCase()),
      ' ',
      h('span', {}, h('span', { class: 'base' }, base.replace(/\/$/, '')), path),
    ),
    h('p', {}, ...inline(summary)),
    ...(description === summary ? [] : paragraphs(description)),
    ...part(
      'Parameters',
      taken.map(({ name, in: where, required, schema, description: about = '' }) => [
        `${name}${required ? '' : '?'}`,
        [...inline(about), h('span', { class: 'kind' }, ` ${where} `), schema && schemaLine(schema)],
      ]),
    ),
    ...(requestBody ? bodyOf(resolved(document, requestBody)) : []),
    ...part(
      'Answers',
      answers.map(([status, { description: about = '', content = {} }]) => [
        status,
        [
          h('span', {}, ...inline(about)),
          ...Object.entries(content).map(([type, media]) => mediaLine(type, media.schema)),
        ],
      ]),
    ),
    ...samplesOf(operation),
  );
}

/** A table under its own heading; empty if there are no rows. */
export function part(
  title: string,
  rows: readonly (readonly [name: string, cells: readonly Child[]])[],
): HTMLElement[] {
  if (rows.length === 0) return [];
  const lines = rows.map(([name, cells]) => h('div', {}, h('dt', {}, name), h('dd', {}, ...cells)));
  return [h('h4', {}, title), h('dl', {}, ...lines)];
}

const mediaLine = (type: string, schema: Parameters<typeof schemaLine>[0] | undefined): HTMLElement =>
  h('div', { class: 'media' }, h('span', { class: 'kind' }, `${type} `), schema && schemaLine(schema));

function bodyOf({ required, content = {} }: Message): HTMLElement[] {
  return Object.entries(content).flatMap(([type, { schema, example }]) => [
    h('h4', {}, required ? 'Body' : 'Body (optional)'),
    mediaLine(type, schema),
    ...(example === undefined ? [] : [sample(JSON.stringify(example))]),
  ]);
}

function samplesOf({ 'x-codeSamples': samples = [] }: Operation): HTMLElement[] {
  if (samples.length === 0) return [];
  const each = samples.map(({ lang, label, source }) => h('div', {}, h('h4', {}, label ?? lang), sample(source)));
  return [h('div', { class: 'samples' }, ...each)];
}

/** Focusable, so that a wide sample can be scrolled by keyboard. */
const sample = (text: string): HTMLElement => h('pre', { tabindex: 0 }, text);
