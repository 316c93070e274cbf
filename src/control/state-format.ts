// What is in the state file: one JSON object with the number of its format.
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

const faultsOf = compile(schema);

/** One object in one piece: whatever is cut off its end, what is left is not JSON. */
export const formatRecord = ({ generation, changes }: DesiredRecord): string =>
  `${JSON.stringify({ format, generation, changes }, null, 2)}\n`;

/**
 * The record in a file, or what is wrong with it.
 * @throws {InputError} for a newer format: its meaning is not known here, and must not be lost
 */
export function parseRecord(
  path: string,
  bytes: Uint8Array,
): { readonly record: DesiredRecord } | { readonly fault: string } {
  let value: { format?: unknown; generation: number; changes: Partial<DesiredState> };
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return { fault: bytes.length === 0 ? 'it is empty' : `it is not whole JSON (${messageOf(error)})` };
  }
  if (Number.isInteger(value?.format) && Number(value.format) > format) {
    throw new InputError(
      `The state file ${path} is of a newer version (format ${value.format}, this one knows ${format}): start that version, or drop the file with «distributor-node reset»`,
    );
  }
  const [fault] = faultsOf(value);
  if (fault) return { fault: `${fault.path || 'it'} ${fault.message}` };
  return { record: { generation: value.generation, changes: value.changes } };
}
