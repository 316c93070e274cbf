// Arguments and options for the body of a command, derived from the schema in its row of the command table.
import { type Command, Option } from 'commander';
import { type CommandName, commands } from '../../machines/commands.ts';
import { wholeNumber } from './argument-types.ts';

type Body = Record<string, unknown>;

/** Reads its part of the body from the parsed arguments and options. */
type Part = (typed: { readonly list: unknown; readonly options: Body }) => Body;

interface PropertySchema {
  readonly type: 'integer' | 'array';
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Adds the arguments and options of the body. @returns a function that builds the body after parsing */
export function withInput(command: Command, name: CommandName): () => Body {
  const { properties, required }: { properties: object; required: readonly string[] } = commands[name].input;
  const parts = Object.entries(properties as Record<string, PropertySchema>).map(([key, schema]) =>
    (schema.type === 'array' ? listPart : integerPart)(command, key, schema, required.includes(key)),
  );
  return () => {
    const typed = { list: command.processedArgs[0], options: command.opts<Body>() };
    return Object.assign({}, ...parts.map((part) => part(typed)));
  };
}

function integerPart(command: Command, key: string, schema: PropertySchema, required: boolean): Part {
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} <number>`;
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
  const option = new Option(flag, schema.description).argParser(wholeNumber(minimum, maximum));
  command.addOption(option.makeOptionMandatory(required));
  return ({ options }) => (options[key] === undefined ? {} : { [key]: options[key] });
}

/** An optional list needs an explicit `--all`: a forgotten list must not mean «all». */
function listPart(command: Command, key: string, schema: PropertySchema, required: boolean): Part {
  command.argument(required ? `<${key}...>` : `[${key}...]`, schema.description);
  if (!required) command.option('--all', `all ${key} of the worker, instead of a list`);
  return ({ list, options: { all } }) => {
    const given = Array.isArray(list) && list.length > 0;
    if (!required && given === Boolean(all)) command.error(`error: give either ${key} or --all`);
    return given ? { [key]: list } : {};
  };
}
