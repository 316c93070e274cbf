// `watch`: prints the events of a node in a terminal, until the node ends or Ctrl-C.
import { Command } from 'commander';
import { directoryWords } from '../client/directory-words.ts';
import type { ReceivedEvent } from '../client/event-parser.ts';
import type { ConditionChange, MachineStep, StateDocument } from '../control/node-control.ts';
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import { problemLines, settingsWords, statusWords, strangerText } from './answers.ts';
import { exitCode, exitCodeOf } from './exit-codes.ts';
import { interruptSignal } from './interrupt-signal.ts';
import { type CallOptions, calling, connect } from './operator-commands.ts';
import { say, sayError, sayJson } from './print.ts';

export const watchCommand = (): Command =>
  calling(new Command('watch'), ['watch', 'watch --output json | jq .event'])
    .summary('Show the events of the node as they happen.')
    .description(
      'Show the events of the node as they happen: transitions, commands, refusals, conditions, drains. A lost connection is ' +
        'reopened and missed events are shown. The command ends with the node or with Ctrl-C. With --output json, ' +
        'each event is one line.',
    )
    .action(watch);

async function watch(options: CallOptions): Promise<void> {
  const { client, ...from } = await connect(options);
  const { EventsRefused, followEvents } = await import('../client/event-follower.ts');
  const text = new WatchText();
  const show = (event: ReceivedEvent) =>
    options.output === 'json' ? sayJson(documentOf(event)) : say(...text.lines(event));
  const lost = (why: string) => sayError(`Connection lost: ${why}. Reconnecting…`);
  try {
    for await (const event of followEvents({ open: client.events, signal: interruptSignal(), lost })) {
      show(event);
    }
  } catch (error) {
    if (!(error instanceof EventsRefused)) throw error;
    const { answer } = error;
    const isNode = answer.status >= 400;
    sayError(...(isNode ? problemLines(answer, from) : [strangerText(answer, from)]));
    process.exitCode = isNode ? exitCodeOf(answer.status) : exitCode('unreachable');
  }
}

const documentOf = ({ name, lastEventId, data }: ReceivedEvent) => ({
  event: name,
  id: lastEventId,
  data: JSON.parse(data),
});

type Drain = { readonly at: string; readonly drain: StateDocument['drain'] };

class WatchText {
  #isKnown = false;
  #drains = false;
  #settings = '';
  #directory = '';

  /** The lines of an event; none for events that only programs need, or that repeat what was printed. */
  lines({ name, data }: ReceivedEvent): string[] {
    const document: unknown = JSON.parse(data);
    switch (name) {
      case 'state':
        return this.#state(document as StateDocument);
      case 'transition':
        return [stepLine(document as MachineStep)];
      case 'command':
        return [commandLine(document as AuditEntry)];
      case 'condition':
        return [conditionLine(document as ConditionChange)];
      case 'drain':
        return this.#drain(document as Drain);
      case 'gap':
        this.#isKnown = false;
        return [line((document as Drain).at, '…', 'some events were lost')];
      case 'end': {
        const { at, exitCode } = document as { readonly at: string; readonly exitCode: number };
        return [line(at, 'end', `the node has ended with exit code ${exitCode}`)];
      }
      default:
        return [];
    }
  }

  /** The full state at the start and after a gap; later only what no other event carries: settings and directory. */
  #state(state: StateDocument): string[] {
    const settings = settingsWords(state);
    const isNew = settings !== this.#settings;
    const now = new Date().toISOString();
    const first = this.#isKnown ? [] : [line(now, 'state', `${state.id}: ${statusWords(state)}`)];
    this.#isKnown = true;
    this.#settings = settings;
    const directory = directoryWords(state.directory ?? null);
    const hasMoved = directory !== this.#directory;
    this.#directory = directory;
    return [
      ...first,
      ...(isNew ? [line(now, 'settings', settings)] : []),
      ...(hasMoved ? [line(now, 'directory', directory)] : []),
    ];
  }

  #drain({ at, drain }: Drain): string[] {
    const wasDraining = this.#drains;
    this.#drains = drain !== null;
    if (drain === null) return wasDraining ? [line(at, 'drain', 'over')] : [];
    const { connections, bytesLeft, deadline } = drain;
    return [line(at, 'drain', `${connections} connections, ${bytesLeft} bytes left, until ${clock(deadline)}`)];
  }
}

const clock = (at: string): string => at.slice(11, 23);

const line = (at: string, kind: string, words: string): string => `${clock(at)}  ${kind.padEnd(9)}  ${words}`;

function stepLine({ at, event, from, to }: MachineStep): string {
  const hasMoved = from.node !== to.node || from.publicApi !== to.publicApi;
  return line(at, 'step', hasMoved ? `${event}: ${statusWords(to)}` : event);
}

function commandLine({ at, from, sub, method, command, status, detail }: AuditEntry): string {
  const by = method.startsWith('SIG') ? method : sub;
  const who = by === null ? '' : ` by ${by}`;
  const where = from === null ? '' : ` from ${from}`;
  return line(
    at,
    status === 200 ? 'command' : 'refused',
    `${command ?? 'a request'}${who}${where}: ${status} ${detail ?? ''}`.trim(),
  );
}

function conditionLine({ at, change, condition: { type, message } }: ConditionChange): string {
  if (change === 'cleared') return line(at, 'cleared', type);
  return line(at, '!', `${type}: ${message.replaceAll('\n', '; ')}`);
}
