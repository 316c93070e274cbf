// Questions to the node machine: is a command legal now, why not, and which would be once it is settled.
import { type EventFrom, type SnapshotFrom, transition } from 'xstate';
import { type Command, type CommandName, commandNames } from './commands.ts';
import { activeIds } from './diagram.ts';
import { type NodeMeta, nodeMachine } from './node.ts';
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
  const word = (['starting', 'running', 'stopping'] as const).find((publicApi) =>
    snapshot.matches({ up: { publicApi } }),
  );
  return {
    node: snapshot.matches({ up: { node: 'running' } }) ? 'running' : 'shuttingDown',
    publicApi: word ?? 'stopped',
  };
}

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
  const metas: Record<string, NodeMeta | undefined> = snapshot.getMeta();
  const inOrder = Object.keys(metas).sort((a, b) => orderOf(a) - orderOf(b));
  for (const id of inOrder) {
    const reason = metas[id]?.refuses?.[name];
    if (reason !== undefined) return reason;
  }
  throw new Error(`No active state says why it refuses ${name}: ${JSON.stringify(snapshot.value)}`);
}

const orderOf = (stateId: string): number => nodeMachine.getStateNodeById(stateId).order;

/** The commands that are legal now or, during a step, will be if it succeeds. */
export function allowedCommands(snapshot: NodeSnapshot): CommandName[] {
  const settled = settle(snapshot);
  return commandNames.filter((type) => judge(settled, { type }).legal);
}

/**
 * A command seen beforehand: the refusal, or the ids of the states it would lead to once each of its steps has succeeded.
 * `through`: the states that each of these steps enters, the last included.
 */
export type Foresight =
  | { readonly legal: true; readonly leadsTo: readonly string[]; readonly through: readonly (readonly string[])[] }
  | { readonly legal: false; readonly reason: string };

/** Every command as it would be judged once the steps under way have succeeded. Pure. */
export function foresee(snapshot: NodeSnapshot): Record<CommandName, Foresight> {
  const settled = settle(snapshot);
  const entries = commandNames.map((type): [CommandName, Foresight] => {
    const seen = rehearse(settled, { type } as Command);
    if (!seen.legal) return [type, { legal: false, reason: seen.reason }];
    const places = [seen.before, ...seen.steps].map(activeIds);
    const through = places.slice(1).map((ids, step) => ids.filter((id) => !places[step]?.includes(id)));
    return [type, { legal: true, leadsTo: activeIds(seen.after), through }];
  });
  return Object.fromEntries(entries) as Record<CommandName, Foresight>;
}

/**
 * The state that the steps under way lead to when each of them succeeds. Pure: the running node is not touched.
 * A port that closes is taken to leave a drain behind: a node shutting down without one is gone before it could be asked.
 */
export const settle = (snapshot: NodeSnapshot): NodeSnapshot => stepsFrom(snapshot).at(-1) ?? snapshot;

/** How the machine stands after each of these steps; none: it is settled. */
function stepsFrom(snapshot: NodeSnapshot): NodeSnapshot[] {
  const steps: NodeSnapshot[] = [];
  for (let next = snapshot; !isSettled(next); steps.push(next)) {
    [next] = transition(nodeMachine, next, onwardFrom(next));
  }
  return steps;
}

/**
 * What would come of a command, without giving it.
 * `before`: where it would be judged, a shutdown at once, any other once the steps under way are over.
 * `after`: where it would lead if its every step succeeds; `steps`: how it would get there, `after` the last of them.
 */
export type Rehearsal =
  | {
      readonly legal: true;
      readonly before: NodeSnapshot;
      readonly after: NodeSnapshot;
      readonly steps: readonly NodeSnapshot[];
    }
  | { readonly legal: false; readonly before: NodeSnapshot; readonly reason: string };

/** Pure: the running node is not touched. Commands that wait for their turn are not foreseen. */
export function rehearse(snapshot: NodeSnapshot, command: Command): Rehearsal {
  const before = command.type === 'shutdown' ? snapshot : settle(snapshot);
  const judgement = judge(before, command);
  if (!judgement.legal) return { before, ...judgement };
  const [next] = transition(nodeMachine, before, command);
  const onward = stepsFrom(next);
  return { legal: true, before, after: onward.at(-1) ?? next, steps: [next, ...onward] };
}

/** What a busy node waits for: the time of a lame duck to pass, or the step under way to succeed. */
function onwardFrom({ children, _nodes }: NodeSnapshot): EventFrom<typeof nodeMachine> {
  const [pause] = _nodes.filter(({ id }) => id.includes('.lameDuck.')).flatMap(({ after }) => after);
  const [step] = Object.keys(children);
  const done = { type: `xstate.done.actor.${step}`, output: { drain: { id: -1, deadline: 0 } } };
  return (pause ? { type: pause.eventType } : done) as unknown as EventFrom<typeof nodeMachine>;
}

/** The settings in force: they count from the moment they are saved. */
export const settingsOf = (snapshot: NodeSnapshot): Settings => {
  const { workerId, buckets } = wishesOf(snapshot);
  return { workerId, buckets };
};

/** What is wanted of the node now: the config, and over it what commands have changed. */
export const wishesOf = (snapshot: NodeSnapshot): DesiredState =>
  desiredState(snapshot.context.config, snapshot.context.record);
