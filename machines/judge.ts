// Queries on the node machine: whether a command is legal now, why not, and what it would lead to.
import { type SnapshotFrom, transition } from 'xstate';
import { type Command, type CommandName, commandNames } from './commands.ts';
import { activeIds } from './diagram/trace.ts';
import { type Drain, type NodeEvent, type NodeMeta, nodeMachine } from './node.ts';
import { type DesiredState, desiredState, type Settings } from './settings.ts';

export type NodeSnapshot = SnapshotFrom<typeof nodeMachine>;

/** The node's state as operators see it. */
export interface NodeStatus {
  readonly node: 'running' | 'shuttingDown';
  readonly publicApi: 'stopped' | 'starting' | 'running' | 'stopping';
}

/** Whether the machine would execute a command, and if not, the reason of the refusal. */
export type Judgement = { readonly legal: true } | { readonly legal: false; readonly reason: string };

/** A node that has ended counts as shutting down, its public API as stopped. */
export function statusOf(snapshot: NodeSnapshot): NodeStatus {
  if (!snapshot.matches('up')) return { node: 'shuttingDown', publicApi: 'stopped' };
  const word = (['stopped', 'starting', 'running'] as const).find((publicApi) =>
    snapshot.matches({ up: { publicApi } }),
  );
  return {
    node: snapshot.matches({ up: { node: 'running' } }) ? 'running' : 'shuttingDown',
    publicApi: word ?? 'stopping',
  };
}

/** Stopping, but still serving, so that load balancers have time to notice. */
export const isLameDuck = (snapshot: NodeSnapshot): boolean => snapshot.hasTag('lameDuck');

/** False while a start, a stop or a save is in progress: then only `shutdown` may be judged. */
export const isSettled = (snapshot: NodeSnapshot): boolean => !snapshot.hasTag('busy');

/**
 * Call it on a settled node, except for a shutdown.
 * @throws {Error} if no active state has a reason for the refusal: a bug in the machine, which the graph tests find
 */
export function judge(snapshot: NodeSnapshot, command: Command | { readonly type: CommandName }): Judgement {
  if (snapshot.status === 'active' && snapshot.can(command as Command)) return { legal: true };
  return { legal: false, reason: refusalOf(snapshot, command.type) };
}

/** The reason from the first refusing state in document order: `node`, then `publicApi`, then `record`. */
function refusalOf(snapshot: NodeSnapshot, name: CommandName): string {
  const wordsOf = ({ refuses, waits }: NodeMeta) => refuses?.[name] ?? (name === 'shutdown' ? undefined : waits);
  const reason = metasOf(snapshot)
    .map(wordsOf)
    .find((words) => words !== undefined);
  if (reason === undefined)
    throw new Error(`No active state says why it refuses ${name}: ${JSON.stringify(snapshot.value)}`);
  return reason;
}

/** The `meta` of the active states, in document order. */
function metasOf(snapshot: NodeSnapshot): NodeMeta[] {
  const metas: [string, NodeMeta | undefined][] = Object.entries(snapshot.getMeta());
  const inOrder = metas.sort(([a], [b]) => orderOf(a) - orderOf(b)).map(([, meta]) => meta);
  return inOrder.filter((meta) => meta !== undefined);
}

const orderOf = (stateId: string): number => nodeMachine.getStateNodeById(stateId).order;

/** The commands that are legal now or, during a step, after it succeeds. */
export function allowedCommands(snapshot: NodeSnapshot): CommandName[] {
  const settled = settle(snapshot);
  return commandNames.filter((type) => judge(settled, { type }).legal);
}

/**
 * The preview of a command: the refusal, or the ids of the states that it would lead to if each of its steps succeeds.
 * `through`: the states that each of these steps enters, including the last step.
 */
export type CommandPreview =
  | { readonly legal: true; readonly leadsTo: readonly string[]; readonly through: readonly (readonly string[])[] }
  | { readonly legal: false; readonly reason: string };

/** Every command as it would be judged after the steps in progress have succeeded. Pure. */
export function previewCommands(snapshot: NodeSnapshot): Record<CommandName, CommandPreview> {
  const settled = settle(snapshot);
  const entries = commandNames.map((type): [CommandName, CommandPreview] => {
    const result = simulate(settled, { type } as Command);
    if (!result.legal) return [type, { legal: false, reason: refusalOf(snapshot, type) }];
    const places = [result.before, ...result.steps].map(activeIds);
    const through = places.slice(1).map((ids, step) => ids.filter((id) => !places[step]?.includes(id)));
    return [type, { legal: true, leadsTo: activeIds(result.after), through }];
  });
  return Object.fromEntries(entries) as Record<CommandName, CommandPreview>;
}

/** The state after all steps in progress have succeeded. Pure: does not affect the running node. */
export const settle = (snapshot: NodeSnapshot): NodeSnapshot => stepsFrom(snapshot).at(-1) ?? snapshot;

/**
 * The state after each of these steps; empty: the machine is settled.
 * @param drain the drain that a close leaves. Without one, a node that shuts down ends before it can be queried.
 */
export function stepsFrom(snapshot: NodeSnapshot, drain: Drain | null = { id: -1, deadline: 0 }): NodeSnapshot[] {
  const steps: NodeSnapshot[] = [];
  let last: NodeSnapshot | null = null;
  // An event without effect would loop forever; the graph tests find such an event.
  for (let next = snapshot; !isSettled(next) && next !== last; steps.push(next)) {
    last = next;
    [next] = transition(nodeMachine, next, onwardFrom(next, drain));
  }
  return steps;
}

/**
 * The effect of a command, without executing it.
 * `before`: the state in which it would be judged: for a shutdown the current one, otherwise after the steps in progress. For a
 * refused command: the current state, which has the reason.
 * `after`: the state if every step succeeds; `steps`: the states on the way, `after` being the last.
 */
export type Simulation =
  | {
      readonly legal: true;
      readonly before: NodeSnapshot;
      readonly after: NodeSnapshot;
      readonly steps: readonly NodeSnapshot[];
    }
  | { readonly legal: false; readonly before: NodeSnapshot; readonly reason: string };

/** Pure: does not affect the running node. Ignores queued commands. */
export function simulate(snapshot: NodeSnapshot, command: Command): Simulation {
  const before = command.type === 'shutdown' ? snapshot : settle(snapshot);
  if (!judge(before, command).legal) {
    return { legal: false, before: snapshot, reason: refusalOf(snapshot, command.type) };
  }
  const [next] = transition(nodeMachine, before, command);
  const onward = stepsFrom(next);
  return { legal: true, before, after: onward.at(-1) ?? next, steps: [next, ...onward] };
}

/**
 * The event that a busy node waits for, as its states declare it: success of the step in progress, or the end of lame duck.
 * If several regions are busy, the first in document order.
 * @throws {Error} if no active state declares one: a bug in the machine, which the graph tests find
 */
export function onwardFrom(snapshot: NodeSnapshot, drain: Drain | null): NodeEvent {
  switch (metasOf(snapshot).find(({ onward }) => onward !== undefined)?.onward) {
    case 'listen':
      return { type: 'xstate.done.actor.listen', output: undefined, actorId: 'listen' };
    case 'close':
      return { type: 'xstate.done.actor.close', output: { drain }, actorId: 'close' };
    case 'save':
      return { type: 'xstate.done.actor.save', output: undefined, actorId: 'save' };
    case 'configure':
      return { type: 'xstate.done.actor.configure', output: undefined, actorId: 'configure' };
    case 'lameDuck':
      return { type: 'lameDuck.over' };
    case undefined:
      throw new Error(`No active state says what leads onward: ${JSON.stringify(snapshot.value)}`);
  }
}

/** The effective settings: they take effect when they are saved. */
export const settingsOf = (snapshot: NodeSnapshot): Settings => {
  const { workerId, buckets } = desiredOf(snapshot);
  return { workerId, buckets };
};

/** The target state of the node: the config, overridden by commands. */
export const desiredOf = (snapshot: NodeSnapshot): DesiredState =>
  desiredState(snapshot.context.config, snapshot.context.record);
