// Request bodies of the commands, generated from the command table, with the schema names of the peer's description.
import { type CommandName, commandNames, commands } from '../../machines/commands.ts';
import { ref, type Schema } from './schema.ts';

/** For clients that do not know the formats. The catalogue's rule, since the squid's stricter one is known only at run time. */
const patterns: Readonly<Record<string, string>> = { 'bucket-id': '^[^\\x00-\\x1f\\x7f-\\x9f]{1,128}$' };

export const bucketId: Schema = { type: 'string', format: 'bucket-id', pattern: patterns['bucket-id'] };

/** `SetWorkerOperation`. */
const schemaName = (name: CommandName): string =>
  `${name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())}Operation`;

const takesInput = (name: CommandName): boolean => Object.keys(commands[name].input.properties).length > 0;

export const bodySchemas: Readonly<Record<string, Schema>> = Object.fromEntries(
  commandNames.filter(takesInput).map((name) => [schemaName(name), withPatterns(commands[name].input) as Schema]),
);

export const bodyOf = (name: CommandName): Schema => (takesInput(name) ? ref(schemaName(name)) : commands[name].input);

function withPatterns(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withPatterns);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withPatterns(value)]));
  const pattern = typeof copy.format === 'string' ? patterns[copy.format] : undefined;
  return pattern === undefined ? copy : { ...copy, pattern };
}
