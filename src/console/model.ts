// What the page knows of the node, and how each event changes it.

import type { ReceivedEvent } from '../client/event-parser.ts';
import type { MachineStep, MachineView, StateDocument } from '../control/node-control.ts';
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import type { MetricsPoint } from '../operator/events/readings.ts';
import type { Connection } from './follow.ts';

export type State = StateDocument;

export interface MachineEvent extends MachineView {
  readonly at: string;
  /** Ids of the edges of the last step. */
  readonly taken: readonly string[];
}

/** The way the machine last came: steps that follow each other closely are one. */
export interface Way {
  /** Of its last step. */
  readonly at: string;
  readonly edges: readonly string[];
}

export type CommandEvent = Pick<
  AuditEntry,
  'at' | 'from' | 'kind' | 'sub' | 'jti' | 'method' | 'command' | 'input' | 'status' | 'detail'
>;

export interface Model {
  /** Null: the operator has not signed in. */
  readonly connection: Connection | null;
  /** When something last came, milliseconds since the epoch. */
  readonly heardAtMs: number | null;
  readonly state: State | null;
  readonly machine: MachineEvent | null;
  readonly way: Way | null;
  readonly metrics: readonly MetricsPoint[];
  readonly drain: State['drain'];
  /** Newest first. */
  readonly commands: readonly CommandEvent[];
  /** Set once the node has said that it ends. */
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

/** Events that a later version may add are left alone. */
export function changed(model: Model, { name, data }: ReceivedEvent): Model {
  const value = JSON.parse(data);
  switch (name) {
    case 'state':
      return { ...(value.startedAt === model.state?.startedAt ? model : anew(model)), state: value };
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

/** An answer to a command of this page; an event may have overtaken it. */
export const withAnswer = (model: Model, state: State): Model =>
  state.startedAt === model.state?.startedAt && state.generation > model.state.generation ? { ...model, state } : model;

/** Another process: what was seen of the one before is not its own. The last commands stay, they happened. */
const anew = ({ connection, heardAtMs, commands }: Model): Model => ({ ...nothing, connection, heardAtMs, commands });

/** A stop goes through `stopping` in a few milliseconds: both steps are to be seen. */
const sameWayMs = 1500;

function withStep(way: Way | null, { at, taken }: MachineStep): Way {
  const isNear = way !== null && Date.parse(at) - Date.parse(way.at) < sameWayMs;
  return { at, edges: isNear ? [...new Set([...way.edges, ...taken])] : taken };
}

/** After a reconnection the last minutes come once more; another process begins anew. */
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
