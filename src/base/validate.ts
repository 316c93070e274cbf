// JSON Schema validation, the only user of ajv. Errors are JSON Pointers with messages for the author of the value.
import { Ajv, type ErrorObject } from 'ajv';

/** One error in a value. */
export interface SchemaError {
  /** JSON Pointer (RFC 6901) to the invalid value, or to the missing or unknown key. '' is the whole value. */
  readonly path: string;
  /** To be read after the path: `/workerId must be integer`. */
  readonly message: string;
}

export type Formats = Readonly<Record<string, (value: string) => boolean>>;

/** All errors of a value, in the order of the schema; empty: the value is valid. */
export type Validate = (value: unknown) => SchemaError[];

/**
 * Compiles a schema (draft 07) once, for repeated use.
 * The value is never changed: no coercion, no defaults.
 * @param formats tests for the `format`s the schema names; ajv knows none by itself
 * @throws {Error} for a schema that ajv's strict mode refuses, or a format that is not given
 */
export function compile(schema: object, formats: Formats = {}): Validate {
  const ajv = new Ajv({
    strict: true,
    allErrors: true,
    allowUnionTypes: true,
    ownProperties: true,
    // Strict mode refuses faulty keywords and their values by itself; to compile the meta-schema slows every start.
    meta: false,
    validateSchema: false,
    logger: false,
    formats,
  });
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(schemaErrorOf));
}

function schemaErrorOf({ instancePath, keyword, params, message = 'is not valid' }: ErrorObject): SchemaError {
  switch (keyword) {
    case 'required':
      return { path: `${instancePath}/${pointerPart(params.missingProperty)}`, message: 'is required' };
    case 'additionalProperties':
      return { path: `${instancePath}/${pointerPart(params.additionalProperty)}`, message: 'is not a known key' };
    case 'enum':
      return { path: instancePath, message: `must be one of ${params.allowedValues.map(String).join(', ')}` };
    case 'const':
      return { path: instancePath, message: `must be ${JSON.stringify(params.allowedValue)}` };
    case 'format':
      return { path: instancePath, message: `must be a valid ${params.format}` };
    default:
      return { path: instancePath, message };
  }
}

/** The keys and indexes that a JSON Pointer goes through. */
export const pointerSteps = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

const pointerPart = (key: string): string => key.replace(/~/g, '~0').replace(/\//g, '~1');
