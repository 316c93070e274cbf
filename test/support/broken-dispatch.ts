// Ways of putting commands to the machine that are wrong, as a shell written in haste would be: what the check of answers must find.
import type { Command } from '../../machines/commands.ts';
import type { CommandResult, ObservableNode } from '../../src/control/node-control.ts';
import type { Node } from '../../src/control/node-runner.ts';
import { turns } from './until.ts';

/** The node, but for how it takes commands. */
const taking = (node: Node, command: (command: Command) => Promise<CommandResult>): ObservableNode =>
  new Proxy(node, {
    get: (_, name) => {
      const value: unknown = name === 'command' ? command : Reflect.get(node, name, node);
      return typeof value === 'function' && name !== 'command' ? value.bind(node) : value;
    },
  });

const refused = ({ node, publicApi, allowed }: Node['state'], reason: string): CommandResult => ({
  result: 'refused',
  reason,
  state: { node, publicApi },
  allowed,
});

export const brokenDispatches = {
  /** The race of races: between the question and the order somebody else comes. What the machine cannot take, it drops. */
  'asks, awaits, and then orders': (node) =>
    taking(node, async (command) => {
      if (!node.state.allowed.includes(command.type)) return node.command(command);
      await turns(1);
      const result = await node.command(command);
      return result.result === 'refused' ? { result: 'done', state: node.state } : result;
    }),
  'refuses for what may still fail': (node) =>
    taking(node, async (command) =>
      command.type === 'start-api' && node.state.publicApi === 'starting'
        ? refused({ ...node.state, publicApi: 'running' }, 'Already started')
        : node.command(command),
    ),
  'answers before it is done': (node) =>
    taking(node, async (command) => {
      if (!node.state.allowed.includes(command.type)) return node.command(command);
      void node.command(command);
      return { result: 'done', state: node.state };
    }),
  'describes the node as it is later': (node) =>
    taking(node, async (command) => {
      const result = await node.command(command);
      await turns(5);
      return result.result === 'done' ? { ...result, state: node.state } : result;
    }),
} satisfies Record<string, (node: Node) => ObservableNode>;
