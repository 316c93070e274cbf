// Arguments and options for the body of a command, derived from the schema in its row of the command table.
import { type Command, Option } from 'commander';
import { type CommandName, type CommandRow, commands, type PropertySchema } from '../../machines/commands.ts';
import { wholeNumber } from './argument-types.ts';

type Body = Record<string, unknown>;
type Of<T extends PropertySchema['type']> = Extract<PropertySchema, { type: T }>;

/** Reads its part of the body from the parsed arguments and options. */
type Part = (typed: { readonly list: unknown; readonly options: Body }) => Body;

/** Adds the arguments and options of the body. @returns a function that builds the body after parsing */
export function withInput(command: Command, name: CommandName): () => Body {
  const { properties, required }: CommandRow['input'] = commands[name].input;
  const parts = Object.entries(properties).map(([key, schema]) => partOf(command, key, schema, required.includes(key)));
  return () => {
    const typed = { list: command.processedArgs[0], options: command.opts<Body>() };
    return Object.assign({}, ...parts.map((part) => part(typed)));
  };
}

function partOf(command: Command, key: string, schema: PropertySchema, required: boolean): Part {
  switch (schema.type) {
    case 'integer':
      return integerPart(command, key, schema, required);
    case 'array':
      return listPart(command, key, schema, required);
  }
}

function integerPart(command: Command, key: string, schema: Of<'integer'>, required: boolean): Part {
  const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} <number>`;
  const option = new Option(flag, schema.description).argParser(wholeNumber(schema.minimum, schema.maximum));
  command.addOption(option.makeOptionMandatory(required));
  return ({ options }) => (options[key] === undefined ? {} : { [key]: options[key] });
}

/** An optional list needs an explicit `--all`: a forgotten list must not mean «all». */
function listPart(command: Command, key: string, schema: Of<'array'>, required: boolean): Part {
  command.argument(required ? `<${key}...>` : `[${key}...]`, schema.description);
  if (!required) command.option('--all', `all ${key} of the worker, instead of a list`);
  return ({ list, options: { all } }) => {
    const given = Array.isArray(list) && list.length > 0;
    if (!required && given === Boolean(all)) command.error(`error: give either ${key} or --all`);
    return given ? { [key]: list } : {};
  };
}
