// The format of the state file: one JSON object with a format number.
import type { DesiredRecord, DesiredState } from '../../machines/settings.ts';
import { InputError, messageOf } from '../base/errors.ts';
import { compile } from '../base/validate.ts';

const format = 1;

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['format', 'generation', 'changes'],
  properties: {
    format: { const: format },
    generation: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    changes: {
      type: 'object',
      additionalProperties: false,
      properties: {
        publicApi: { enum: ['running', 'stopped'] },
        workerId: { type: ['integer', 'null'], minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
        buckets: {
          anyOf: [
            { type: 'null' },
            { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', minLength: 1 } },
          ],
        },
      },
    },
  },
};

const validate = compile(schema);

/** One JSON object: a truncated file is never valid JSON. */
export const formatRecord = ({ generation, changes }: DesiredRecord): string =>
  `${JSON.stringify({ format, generation, changes }, null, 2)}\n`;

/**
 * The record in a file, or why the file is invalid.
 * @throws {InputError} for a newer format, which this version must not overwrite
 */
export function parseRecord(
  path: string,
  bytes: Uint8Array,
): { readonly record: DesiredRecord } | { readonly error: string } {
  let value: { format?: unknown; generation: number; changes: Partial<DesiredState> };
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { error: bytes.length === 0 ? 'it is empty' : `it is not valid JSON (${messageOf(error)})` };
  }
  if (Number.isInteger(value?.format) && Number(value.format) > format) {
    throw new InputError(
      `The state file ${path} has a newer format (${value.format}; this version reads ${format}): start the newer version, or remove the file with «distributor-node reset»`,
    );
  }
  const [error] = validate(value);
  if (error) return { error: `${error.path || 'it'} ${error.message}` };
  return { record: { generation: value.generation, changes: value.changes } };
}
