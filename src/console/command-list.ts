// The commands on the page: one card for each row of the command table.
import { type CommandName, commandNames } from '../../machines/commands.ts';
import { type Answer, type CallOptions, call } from './api.ts';
import type { Chart } from './chart.ts';
import { type Card, commandCard, type Prospect } from './command-card.ts';
import type { Credentials } from './credentials.ts';
import { fill } from './dom.ts';
import type { Model, State } from './model.ts';

export interface CommandsParts {
  readonly list: HTMLElement;
  readonly chart: Chart;
  readonly credentials: () => Credentials | null;
  readonly announce: (text: string) => void;
  /** Called with the state in the answer to a command, which may arrive before the event. */
  readonly onState: (state: State) => void;
}

/** @returns a function that updates the cards */
export function commandsPanel({ list, chart, credentials, announce, onState }: CommandsParts): (model: Model) => void {
  let last: Model | null = null;
  let looked: CommandName | null = null;

  const preview = (): void => {
    const outlook = looked === null ? undefined : last?.machine?.commands[looked];
    const isLive = last?.connection?.is === 'live';
    chart.preview(looked === null || !isLive ? null : { name: looked, outlook });
  };
  const send = async (name: CommandName, body: object, options: CallOptions): Promise<Answer> => {
    const by = credentials();
    if (by === null) return { ok: false, problem: null };
    const answer = await call(by, name, body, options);
    if (answer.ok && !options.dryRun && credentials() === by) onState(answer.document as State);
    return answer;
  };
  const onAsk = (asked: CommandName): void => {
    for (const [name, card] of cards) if (name !== asked) card.clear();
  };
  const cards = commandNames.map((name): [CommandName, Card] => {
    const onLook = (command: CommandName | null): void => {
      looked = command;
      preview();
    };
    return [name, commandCard({ name, send, onAsk, onLook, announce })];
  });
  fill(list, ...cards.map(([, { element }]) => element));

  return (model) => {
    // The node was restarted: results from the previous process are obsolete.
    if (model.state?.startedAt !== last?.state?.startedAt) for (const [, card] of cards) card.clear();
    last = model;
    const isReadOnly = credentials()?.readOnly ?? false;
    for (const [name, card] of cards) card.show(prospectOf(name, model, { isReadOnly, chart }), model.state);
    preview();
  };
}

interface Prospecting {
  readonly isReadOnly: boolean;
  readonly chart: Chart;
}

/** A command is enabled only if the node has said that it is legal now. */
function prospectOf(name: CommandName, { connection, machine }: Model, { isReadOnly, chart }: Prospecting): Prospect {
  if (connection === null) return { reason: 'Sign in first' };
  if (connection.is !== 'live' || machine === null) return { reason: 'Not connected to the node' };
  if (isReadOnly) return { reason: 'The token is read-only' };
  const outlook = machine.commands[name];
  if (outlook === undefined) return { reason: 'The node does not know this command' };
  if (!outlook.legal) return { reason: outlook.reason };
  const words = chart.words(outlook.leadsTo);
  return { leadsTo: words === '' ? 'no state change' : `leads to ${words}` };
}
