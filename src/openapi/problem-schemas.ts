// Problem documents (RFC 9457), and the reasons for which the machine refuses each command.
import type { CommandName } from '../../machines/commands.ts';
import { type NodeMeta, nodeMachine } from '../../machines/node.ts';
import { count, list, object, oneOf, only, ref, type Schema, text } from './schema.ts';

const members = (status: Schema, detail: Schema) => ({
  type: text('`about:blank`: no more than the status'),
  title: text('reason phrase of the status'),
  status,
  detail,
  message: { ...detail, description: 'same as `detail`, for existing clients' },
});

const anyStatus = { type: 'integer', minimum: 400, maximum: 599 } as const;

/** Also part of a 412: the state in which the command was judged. */
const judgedIn = { state: ref('NodeStatus'), allowed: list(ref('CommandName')) };

export const problemSchemas: Readonly<Record<string, Schema>> = {
  Problem: object(
    { ...members(anyStatus, text('for people')), 'requestId?': text('also in the log of the node') },
    'An error (RFC 9457).',
  ),
  InvalidRequest: object({
    ...members(only(400), text('the first error')),
    errors: list(
      object({ path: text('JSON Pointer into the body; empty: the whole body'), message: text() }),
      'all errors, at most a hundred',
    ),
  }),
  Moved: object({ ...members(only(412), text()), ...judgedIn, generation: count('of the current state') }),
};

/** The detail of a 409 is one of the machine's reasons. */
export const refusalOf = (command: CommandName): Schema =>
  object({ ...members(only(409), oneOf(refusalReasons(command))), ...judgedIn });

/** Includes the reasons of busy states: a command waits for the step in progress, a dry run does not. */
function refusalReasons(command: CommandName): string[] {
  const words = new Set<string>();
  const visit = (state: (typeof nodeMachine)['root']): void => {
    const { refuses = {} }: NodeMeta = state.meta ?? {};
    if (refuses[command] !== undefined) words.add(refuses[command]);
    for (const child of Object.values(state.states)) visit(child);
  };
  visit(nodeMachine.root);
  return [...words].sort();
}
