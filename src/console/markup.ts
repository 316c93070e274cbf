// Renders text of the API description: `code` in backticks, paragraphs, schemas with links.
import { type Child, h } from './dom.ts';
import { nameEnd, type Schema, schemaText } from './schema-text.ts';

/** Text with code in backticks. */
export const inline = (text: string): Child[] =>
  text.split('`').map((part, place) => (place % 2 === 1 ? h('code', {}, part) : part.replace(/\s+/g, ' ')));

export const paragraphs = (text: string): HTMLElement[] =>
  text.split(/\n\s*\n/).map((paragraph) => h('p', {}, ...inline(paragraph)));

/** A schema in one line; each name in it is a link to its definition. */
export function schemaLine(schema: Schema): HTMLElement {
  const parts = schemaText(schema).split(new RegExp(`(\\w+${nameEnd})`));
  const linked = parts.map((part): Child => {
    if (!part.endsWith(nameEnd)) return part;
    const name = part.slice(0, -1);
    return h('a', { href: `#schema-${name}` }, name);
  });
  return h('code', { class: 'schema' }, ...linked);
}
