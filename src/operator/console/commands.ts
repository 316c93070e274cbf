// The commands on the page: one card for each row of the command table.
import { type CommandName, commandNames } from '../../../machines/commands.ts';
import { type Answer, call } from './api.ts';
import { type Chart, leadsToText } from './chart.ts';
import { type Card, commandCard, type Prospect } from './command-card.ts';
import type { Credentials } from './credentials.ts';
import { fill } from './dom.ts';
import type { Model } from './model.ts';

export interface CommandsParts {
  readonly list: HTMLElement;
  readonly chart: Chart;
  readonly credentials: () => Credentials | null;
  readonly announce: (text: string) => void;
}

/** @returns what is to be called with everything that is new */
export function commandsPanel({ list, chart, credentials, announce }: CommandsParts): (model: Model) => void {
  let last: Model | null = null;
  let looked: CommandName | null = null;

  const preview = (): void => {
    const outlook = looked === null ? undefined : last?.machine?.commands[looked];
    const isLive = last?.connection?.is === 'live';
    chart.preview(looked === null || !isLive ? null : { name: looked, outlook });
  };
  const send = async (name: CommandName, body: object): Promise<Answer> => {
    const by = credentials();
    return by === null ? { ok: false, problem: null } : call(by, name, body);
  };
  const cards = commandNames.map((name): [CommandName, Card] => {
    const onLook = (command: CommandName | null): void => {
      looked = command;
      preview();
    };
    return [name, commandCard({ name, send, onLook, announce })];
  });
  fill(list, ...cards.map(([, { element }]) => element));

  return (model) => {
    last = model;
    const isReadOnly = credentials()?.readOnly ?? false;
    for (const [name, card] of cards) card.show(prospectOf(name, model, isReadOnly), model.state);
    preview();
  };
}

/** What is not known to be legal now is not offered: the reason says why. */
function prospectOf(name: CommandName, { connection, machine }: Model, isReadOnly: boolean): Prospect {
  if (connection === null) return { reason: 'Sign in first' };
  if (connection.is !== 'live' || machine === null) return { reason: 'Not connected to the node' };
  if (isReadOnly) return { reason: 'The token is for reading only' };
  const outlook = machine.commands[name];
  if (outlook === undefined) return { reason: 'The node does not know this command' };
  if (!outlook.legal) return { reason: outlook.reason };
  return { leadsTo: leadsToText(outlook.leadsTo, machine.active) || 'no other state' };
}
