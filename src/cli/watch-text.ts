// Events of a node as lines for people.

import type { ReceivedEvent } from '../client/event-parser.ts';
import type { ConditionChange, MachineStep, StateDocument } from '../control/node-control.ts';
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import { settingsWords, statusWords } from './answers.ts';

type Drain = { readonly at: string; readonly drain: StateDocument['drain'] };

export class WatchText {
  #isKnown = false;
  #drains = false;
  #settings = '';

  /** What is to be said of it; nothing of what is for machines, or said already. */
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
        return [line((document as Drain).at, '…', 'some events were missed')];
      case 'end': {
        const { at, exitCode } = document as { readonly at: string; readonly exitCode: number };
        return [line(at, 'end', `the node has ended with exit code ${exitCode}`)];
      }
      default:
        return [];
    }
  }

  /** At the beginning, and after a gap; later only what no other event tells. */
  #state(state: StateDocument): string[] {
    const settings = settingsWords(state);
    const isNew = settings !== this.#settings;
    const now = new Date().toISOString();
    const first = this.#isKnown ? [] : [line(now, 'state', `${state.id}: ${statusWords(state)}`)];
    this.#isKnown = true;
    this.#settings = settings;
    return isNew ? [...first, line(now, 'settings', settings)] : first;
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
  return line(at, change === 'cleared' ? 'cleared' : '!', change === 'cleared' ? type : `${type}: ${message}`);
}
