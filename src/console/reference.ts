// The reference page: renders the node's OpenAPI document, one card per operation and schema.
import { apiBase } from './api.ts';
import { byId, fill, h, setText } from './dom.ts';
import { inline, paragraphs, schemaLine } from './markup.ts';
import { type ApiDocument, type Entry, entriesOf } from './openapi-reader.ts';
import { operationCard, part } from './operation-card.ts';
import type { Schema } from './schema-text.ts';

async function load(): Promise<void> {
  const status = byId('reference-status');
  try {
    const response = await fetch(`${apiBase}/openapi.json`, { cache: 'no-store' });
    if (!response.ok) return setText(status, `The API description could not be loaded (${response.status}).`);
    show(await response.json());
  } catch {
    setText(status, 'The node does not answer. Reload this page when the node is running.');
  }
}

function show(description: ApiDocument): void {
  const { info, components } = description;
  setText(byId('name'), info.title);
  setText(byId('about'), `version ${info.version}`);
  const groups = groupsOf(description);
  const schemas = Object.entries(components?.schemas ?? {});
  fill(
    byId('reference'),
    h(
      'nav',
      { class: 'contents', 'aria-label': 'Operations' },
      ...[...groups].map(([tag, entries]) => linksOf(tag, entries)),
    ),
    h(
      'div',
      { class: 'cards' },
      h('div', { class: 'intro' }, ...paragraphs(info.description ?? '')),
      ...[...groups].flatMap(([tag, entries]) => [
        h('h2', {}, tag),
        ...entries.map((entry) => operationCard(description, entry)),
      ]),
      schemas.length > 0 && h('h2', { id: 'schemas' }, 'Schemas'),
      ...schemas.map(([name, schema]) => schemaCard(name, schema)),
    ),
  );
  // The browser looked for the fragment before the content existed.
  if (location.hash !== '') document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

/** Operations by their first tag, in the order of the document. */
function groupsOf(description: ApiDocument): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entriesOf(description)) {
    const tag = entry.operation.tags?.[0] ?? 'other';
    groups.set(tag, [...(groups.get(tag) ?? []), entry]);
  }
  return groups;
}

const linksOf = (tag: string, entries: readonly Entry[]): HTMLElement =>
  h(
    'div',
    {},
    h('p', {}, tag),
    h(
      'ul',
      {},
      ...entries.map(({ id, method, path }) =>
        h('li', {}, h('a', { href: `#${id}` }, h('span', { class: 'method' }, method.toUpperCase()), ` ${path}`)),
      ),
    ),
  );

function schemaCard(name: string, schema: Schema): HTMLElement {
  const members = Object.entries(schema.properties ?? {});
  const id = `schema-${name}`;
  return h(
    'section',
    { class: 'operation', id, 'aria-labelledby': `${id}-title` },
    h('h3', { id: `${id}-title` }, name),
    schema.description && h('p', {}, ...inline(schema.description)),
    members.length === 0 && schemaLine(schema),
    ...part(
      'Members',
      members.map(([key, one]) => [
        `${key}${schema.required?.includes(key) ? '' : '?'}`,
        [schemaLine(one), one.description && h('span', {}, ' ', ...inline(one.description))],
      ]),
    ),
  );
}

void load();
