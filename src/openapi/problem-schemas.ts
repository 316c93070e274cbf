// Problem documents (RFC 9457), and the words with which the machine refuses each command.
import type { CommandName } from '../../machines/commands.ts';
import { type NodeMeta, nodeMachine } from '../../machines/node.ts';
import { count, list, object, oneOf, only, ref, type Schema, text } from './schema.ts';

const members = (status: Schema, detail: Schema) => ({
  type: text('`about:blank`: the status says it all'),
  title: text("the status' own phrase"),
  status,
  detail,
  message: { ...detail, description: 'the same as `detail`; existing clients read it' },
});

const anyStatus = { type: 'integer', minimum: 400, maximum: 599 } as const;

/** Also said with a 412: the state in which the command was judged. */
const judgedIn = { state: ref('NodeStatus'), allowed: list(ref('CommandName')) };

export const problemSchemas: Readonly<Record<string, Schema>> = {
  Problem: object(
    { ...members(anyStatus, text('for a person')), 'requestId?': text('to be found in the log of the node') },
    'What was wrong (RFC 9457).',
  ),
  InvalidRequest: object({
    ...members(only(400), text('the first fault')),
    errors: list(
      object({ path: text('JSON Pointer into the body; empty: the whole'), message: text() }),
      'every fault, up to a hundred',
    ),
  }),
  Moved: object({ ...members(only(412), text()), ...judgedIn, generation: count('of the state as it is now') }),
};

/** A 409 says why in the words of the machine. */
export const refusalOf = (command: CommandName): Schema =>
  object({ ...members(only(409), oneOf(refusalWords(command))), ...judgedIn });

/** Those of busy states too: commands wait for the step under way, but a dry run does not. */
function refusalWords(command: CommandName): string[] {
  const words = new Set<string>();
  const visit = (state: (typeof nodeMachine)['root']): void => {
    const { refuses = {} }: NodeMeta = state.meta ?? {};
    if (refuses[command] !== undefined) words.add(refuses[command]);
    for (const child of Object.values(state.states)) visit(child);
  };
  visit(nodeMachine.root);
  return [...words].sort();
}
