// Formats a JSON Schema in one line: `{workerId: integer ≥ 0}`.

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly description?: string;
}

/** Ends the name of another schema: a word joiner, which is invisible. */
export const nameEnd = '\u2060';

/** A reference is named, not followed: what it stands for has a place of its own. */
export function schemaText(schema: Schema): string {
  if (schema.$ref !== undefined) return schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1) + nameEnd;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return choices.map(schemaText).join(' or ');
  if (schema.allOf !== undefined) return schema.allOf.map(schemaText).join(' and ');
  if (schema.items !== undefined) return `[${schemaText(schema.items)}, …]`;
  if (schema.properties !== undefined) return objectText(schema.properties, schema.required ?? []);
  return typeText(schema);
}

function objectText(properties: Readonly<Record<string, Schema>>, required: readonly string[]): string {
  const members = Object.entries(properties).map(
    ([name, schema]) => `${name}${required.includes(name) ? '' : '?'}: ${schemaText(schema)}`,
  );
  return `{${members.join(', ')}}`;
}

function typeText({ type = 'anything', format, minimum }: Schema): string {
  const name = Array.isArray(type) ? type.join(' or ') : String(type);
  const more = [...(format ? [`(${format})`] : []), ...(minimum === undefined ? [] : [`≥ ${minimum}`])];
  return [name, ...more].join(' ');
}
