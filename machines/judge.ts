// Questions to the node machine: is a command legal now, why not, and which would be once it is settled.
import { type SnapshotFrom, transition } from 'xstate';
import { type Command, type CommandName, commandNames } from './commands.ts';
import { activeIds } from './diagram/trace.ts';
import { type Drain, type NodeEvent, type NodeMeta, nodeMachine } from './node.ts';
import { type DesiredState, desiredState, type Settings } from './settings.ts';

export type NodeSnapshot = SnapshotFrom<typeof nodeMachine>;

/** The operator's words for where the node is. */
export interface NodeStatus {
  readonly node: 'running' | 'shuttingDown';
  readonly publicApi: 'stopped' | 'starting' | 'running' | 'stopping';
}

/** The machine's answer to one command: whether it would be carried out, and if not, in which words it is refused. */
export type Judgement = { readonly legal: true } | { readonly legal: false; readonly reason: string };

/** Where the node is. One that has ended counts as shutting down, its public API as stopped. */
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

/** Stopping, but still serving: balancers are given time to notice. */
export const isLameDuck = (snapshot: NodeSnapshot): boolean => snapshot.hasTag('lameDuck');

/** False while a start, a stop or a save is under way: then only `shutdown` may be judged. */
export const isSettled = (snapshot: NodeSnapshot): boolean => !snapshot.hasTag('busy');

/**
 * Asked of a settled node, or of any about a shutdown.
 * @throws {Error} where no active state has words for a refusal: a fault of the machine, which the tests over its graph find
 */
export function judge(snapshot: NodeSnapshot, command: Command | { readonly type: CommandName }): Judgement {
  if (snapshot.status === 'active' && snapshot.can(command as Command)) return { legal: true };
  return { legal: false, reason: refusalOf(snapshot, command.type) };
}

/** Where several active states refuse, the first in document order speaks: `node` before `publicApi` before `record`. */
function refusalOf(snapshot: NodeSnapshot, name: CommandName): string {
  const wordsOf = ({ refuses, waits }: NodeMeta) => refuses?.[name] ?? (name === 'shutdown' ? undefined : waits);
  const reason = metasOf(snapshot)
    .map(wordsOf)
    .find((words) => words !== undefined);
  if (reason === undefined)
    throw new Error(`No active state says why it refuses ${name}: ${JSON.stringify(snapshot.value)}`);
  return reason;
}

/** What the active states say of themselves, in document order. */
function metasOf(snapshot: NodeSnapshot): NodeMeta[] {
  const metas: [string, NodeMeta | undefined][] = Object.entries(snapshot.getMeta());
  const inOrder = metas.sort(([a], [b]) => orderOf(a) - orderOf(b)).map(([, meta]) => meta);
  return inOrder.filter((meta) => meta !== undefined);
}

const orderOf = (stateId: string): number => nodeMachine.getStateNodeById(stateId).order;

/** The commands that are legal now or, during a step, will be if it succeeds. */
export function allowedCommands(snapshot: NodeSnapshot): CommandName[] {
  const settled = settle(snapshot);
  return commandNames.filter((type) => judge(settled, { type }).legal);
}

/**
 * A command that has not been given: the refusal, or the ids of the states it would lead to once each of its steps has
 * succeeded. `through`: the states that each of these steps enters, the last included.
 */
export type CommandPreview =
  | { readonly legal: true; readonly leadsTo: readonly string[]; readonly through: readonly (readonly string[])[] }
  | { readonly legal: false; readonly reason: string };

/** Every command as it would be judged once the steps under way have succeeded. Pure. */
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

/** The state that the steps under way lead to when each of them succeeds. Pure: the running node is not touched. */
export const settle = (snapshot: NodeSnapshot): NodeSnapshot => stepsFrom(snapshot).at(-1) ?? snapshot;

/**
 * How the machine stands after each of these steps; none: it is settled.
 * @param drain what a port that closes leaves behind. A node that shuts down without any is gone before it could be asked.
 */
export function stepsFrom(snapshot: NodeSnapshot, drain: Drain | null = { id: -1, deadline: 0 }): NodeSnapshot[] {
  const steps: NodeSnapshot[] = [];
  let last: NodeSnapshot | null = null;
  // An event that leads nowhere would do so for ever; the tests over the graph find it.
  for (let next = snapshot; !isSettled(next) && next !== last; steps.push(next)) {
    last = next;
    [next] = transition(nodeMachine, next, onwardFrom(next, drain));
  }
  return steps;
}

/**
 * What would come of a command, without giving it.
 * `before`: where it would be judged, a shutdown at once, any other once the steps under way are over. Of a command that is
 * refused: where the node is now, in whose words it is.
 * `after`: where it would lead if its every step succeeds; `steps`: how it would get there, `after` the last of them.
 */
export type Simulation =
  | {
      readonly legal: true;
      readonly before: NodeSnapshot;
      readonly after: NodeSnapshot;
      readonly steps: readonly NodeSnapshot[];
    }
  | { readonly legal: false; readonly before: NodeSnapshot; readonly reason: string };

/** Pure: the running node is not touched. Commands that wait for their turn are not taken into account. */
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
 * The event that a busy node waits for, as its states declare it: the step under way succeeds, or the lame duck's time passes.
 * Where several regions are busy, that of the first in document order.
 * @throws {Error} where no active state declares one: a fault of the machine, which the tests over its graph find
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

/** The settings in force: they count from the moment they are saved. */
export const settingsOf = (snapshot: NodeSnapshot): Settings => {
  const { workerId, buckets } = wishesOf(snapshot);
  return { workerId, buckets };
};

/** What is wanted of the node now: the config, and over it what commands have changed. */
export const wishesOf = (snapshot: NodeSnapshot): DesiredState =>
  desiredState(snapshot.context.config, snapshot.context.record);
