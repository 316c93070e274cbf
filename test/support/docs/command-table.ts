// The table of operator commands, from the command table.
import { type CommandRow, commands } from '../../../machines/commands.ts';
import { table } from './markdown.ts';

export const commandTable = (): string =>
  table(
    ['command', 'body', 'what it does'],
    Object.entries(commands).map(([name, row]) => [`\`POST /api/v1/${name}\``, bodyOf(row), row.summary]),
  );

function bodyOf({ input }: CommandRow): string {
  const keys = Object.entries(input.properties).map(([key, { type, description }]) => {
    const duty = input.required.includes(key) ? 'required' : 'optional';
    return `\`${key}\`: ${type}, ${duty}; ${description}`;
  });
  return keys.length > 0 ? keys.join('<br>') : 'none, or `{}`';
}
