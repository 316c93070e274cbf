// Builders for schemas of the API description (OpenAPI 3.1, that is JSON Schema 2020-12).

export type Schema = Readonly<Record<string, unknown>>;

export const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });

/** All members are required except those named `name?`. Later versions may add members. */
export function object(members: Readonly<Record<string, Schema>>, description?: string): Schema {
  const names = Object.keys(members);
  const properties = Object.fromEntries(names.map((name) => [name.replace(/\?$/, ''), members[name]]));
  const required = names.filter((name) => !name.endsWith('?'));
  return { type: 'object', ...(description && { description }), properties, required };
}

export const list = (items: Schema, description?: string): Schema => ({
  type: 'array',
  items,
  ...(description && { description }),
});

export const oneOf = (values: readonly string[], description?: string): Schema => ({
  type: 'string',
  enum: values,
  ...(description && { description }),
});

export const text = (description?: string): Schema => ({ type: 'string', ...(description && { description }) });

export const count = (description?: string): Schema => ({
  type: 'integer',
  minimum: 0,
  ...(description && { description }),
});

export const number = (description?: string): Schema => ({ type: 'number', ...(description && { description }) });

export const time = (description?: string): Schema => ({
  type: 'string',
  format: 'date-time',
  ...(description && { description }),
});

export const only = (value: unknown): Schema => ({ const: value });

/** A nullable schema; `description` says when it is null. */
export function orNull(schema: Schema, description?: string): Schema {
  const described = description === undefined ? {} : { description };
  if (typeof schema.type === 'string' && schema.enum === undefined) {
    return { ...schema, ...described, type: [schema.type, 'null'] };
  }
  return { anyOf: [schema, { type: 'null' }], ...described };
}
