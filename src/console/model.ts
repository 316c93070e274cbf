// What the page knows about the node, and how each event changes it.

import type { ReceivedEvent } from '../client/event-parser.ts';
import type { MachineStep, MachineView, StateDocument } from '../control/node-control.ts';
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import type { MetricsPoint } from '../operator/events/readings.ts';
import type { Connection } from './follow.ts';

export type State = StateDocument;

export interface MachineEvent extends MachineView {
  readonly at: string;
  /** Ids of the edges of the last transition. */
  readonly taken: readonly string[];
}

/** The last transition; transitions in quick succession are merged. */
export interface Way {
  /** Time of the latest step. */
  readonly at: string;
  readonly edges: readonly string[];
}

export type CommandEvent = Pick<
  AuditEntry,
  'at' | 'from' | 'kind' | 'sub' | 'jti' | 'method' | 'command' | 'input' | 'status' | 'detail'
>;

export interface Model {
  /** Null: not signed in. */
  readonly connection: Connection | null;
  /** Time of the last received bytes, milliseconds since the epoch. */
  readonly heardAtMs: number | null;
  readonly state: State | null;
  readonly machine: MachineEvent | null;
  readonly way: Way | null;
  readonly metrics: readonly MetricsPoint[];
  readonly drain: State['drain'];
  /** Newest first. */
  readonly commands: readonly CommandEvent[];
  /** Set by the `end` event. */
  readonly exitCode: number | null;
}

export const nothing: Model = {
  connection: null,
  heardAtMs: null,
  state: null,
  machine: null,
  way: null,
  metrics: [],
  drain: null,
  commands: [],
  exitCode: null,
};

export const mostPoints = 300;
const mostCommands = 50;

/** Unknown events, of a later version, are ignored. */
export function changed(model: Model, { name, data }: ReceivedEvent): Model {
  const value = JSON.parse(data);
  switch (name) {
    case 'state':
      return { ...(value.startedAt === model.state?.startedAt ? model : reset(model)), state: value };
    case 'machine':
      return { ...model, machine: value, way: model.way ?? { at: value.at, edges: value.taken } };
    case 'transition':
      return { ...model, way: withStep(model.way, value) };
    case 'drain':
      return { ...model, drain: value.drain };
    case 'metrics':
      return { ...model, metrics: withActivity(model.metrics, value) };
    case 'command':
      return { ...model, commands: withCommand(model.commands, value) };
    case 'end':
      return { ...model, exitCode: value.exitCode };
    default:
      return model;
  }
}

/** The state in an answer to a command, unless a newer event has arrived first. */
export const withAnswer = (model: Model, state: State): Model =>
  state.startedAt === model.state?.startedAt && state.generation > model.state.generation ? { ...model, state } : model;

/** The node was restarted: keep only the history of commands. */
const reset = ({ connection, heardAtMs, commands }: Model): Model => ({ ...nothing, connection, heardAtMs, commands });

/** A stop passes through `stopping` in a few milliseconds: show both steps. */
const sameWayMs = 1500;

function withStep(way: Way | null, { at, taken }: MachineStep): Way {
  const isNear = way !== null && Date.parse(at) - Date.parse(way.at) < sameWayMs;
  return { at, edges: isNear ? [...new Set([...way.edges, ...taken])] : taken };
}

/** A reconnection repeats the last minutes. */
function withActivity(known: readonly MetricsPoint[], more: readonly MetricsPoint[]): readonly MetricsPoint[] {
  const [first] = more;
  if (first === undefined) return known;
  return [...known.filter(({ at }) => at < first.at), ...more].slice(-mostPoints);
}

function withCommand(known: readonly CommandEvent[], entry: CommandEvent): readonly CommandEvent[] {
  const key = ({ at, command, jti, from }: CommandEvent) => [at, command, jti, from].join();
  if (known.some((one) => key(one) === key(entry))) return known;
  return [entry, ...known].sort((a, b) => b.at.localeCompare(a.at)).slice(0, mostCommands);
}
