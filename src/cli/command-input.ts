// How the body of a command is typed: arguments and options made from the schema in its row.
import { type Command, Option } from 'commander';
import { type CommandName, commands } from '../../machines/commands.ts';
import { wholeNumber } from './argument-types.ts';

type Body = Record<string, unknown>;

/** Reads its share of the body from what was typed. */
type Part = (typed: { readonly list: unknown; readonly options: Body }) => Body;

interface PropertySchema {
  readonly type: 'integer' | 'array';
  readonly description: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Adds what the command's body needs; the body is read once the line has been parsed. */
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

/** A list that may be left out has to be left out on purpose: to forget it must not mean «all». */
function listPart(command: Command, key: string, schema: PropertySchema, required: boolean): Part {
  command.argument(required ? `<${key}...>` : `[${key}...]`, schema.description);
  if (!required) command.option('--all', `no list: all ${key} of the worker`);
  return ({ list, options: { all } }) => {
    const given = Array.isArray(list) && list.length > 0;
    if (!required && given === Boolean(all)) command.error(`error: give either ${key} or --all`);
    return given ? { [key]: list } : {};
  };
}
