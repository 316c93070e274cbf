// The pure node machine as a model: what may happen in each state, what it leads to, and when two states are the same.
import { type EventFrom, getNextTransitions, initialTransition, transition } from 'xstate';
import { type Command, type CommandName, commandNames } from '../../machines/commands.ts';
import { isLameDuck, isSettled, judge, type NodeSnapshot, onwardFrom, stepsFrom } from '../../machines/judge.ts';
import { type CommandOutcome, type Drain, type NodeInput, nodeMachine } from '../../machines/node.ts';
import type { DesiredState } from '../../machines/settings.ts';

export type NodeMachineEvent = EventFrom<typeof nodeMachine>;

/**
 * What may happen next. A command goes by its own name; the answers of the ports are
 * `listen.done listen.error close.done close.error save.done save.error configure.done configure.error answer.done answer.error`
 * (the step under way succeeds or fails), `close.done draining` (it leaves a drain behind), `drain.ended N` and `drain.deadline N`; and the
 * machine's own delays are `listenDeadline restoreDeadline lameDuck.over closeDeadline saveDeadline saveRetry configureDeadline leaveDeadline answerDeadline`.
 */
export interface Step {
  readonly name: string;
  readonly event: NodeMachineEvent;
}

/** What one event leads to: the next state, the reported outcomes, and the plain effects (`retire`, `cut`, `kill`), each in order. */
export interface Advance {
  readonly state: NodeSnapshot;
  readonly outcomes: readonly CommandOutcome[];
  readonly effects: readonly string[];
}

export interface ModelOptions {
  /** How many drains may overlap: 0, 1 or 2 (the default). */
  readonly drains?: 0 | 1 | 2;
  /** Whether deadlines and retries may run. Default: true. */
  readonly delays?: boolean;
  /** Whether steps may fail. Default: true. */
  readonly errors?: boolean;
  /** Whether anything may happen before the last answers are given, or these may fail. Default: true. */
  readonly lateEvents?: boolean;
  /** Which commands are given. Default: all of them. */
  readonly commands?: readonly CommandName[];
}

export const sampleCommands: Readonly<Record<CommandName, Command>> = {
  'stop-api': { type: 'stop-api' },
  'start-api': { type: 'start-api' },
  shutdown: { type: 'shutdown' },
  'set-worker': { type: 'set-worker', workerId: 3 },
  'set-buckets': { type: 'set-buckets', buckets: ['1:0'] },
};

const deadlines: NodeInput['deadlines'] = {
  listenMs: 1_000,
  restoreMs: 3_000,
  lameDuckMs: 0,
  closeMs: 2_000,
  saveMs: 1_500,
  saveRetryMs: 5_000,
  configureMs: 2_500,
  drainMs: 30_000,
  leaveMs: 40_000,
  answerMs: 50_000,
};

/** A node that starts for the first time: worker 0, all its buckets. */
export const sampleInput = (publicApi: 'running' | 'stopped'): NodeInput => ({
  config: { workerId: 0, buckets: null, publicApi },
  deadlines,
});

/** A node that was here before: its worker has been set by a command. */
export const recordedInput = (publicApi: 'running' | 'stopped'): NodeInput => ({
  ...sampleInput(publicApi),
  record: { generation: 1, changes: { workerId: 3 } },
});

export const initialState = (input: NodeInput): NodeSnapshot => initialTransition(nodeMachine, input)[0];

/** A settled node that wants what it has: the one a state document describes. */
export function standing({ generation, ...wished }: DesiredState & { readonly generation: number }): NodeSnapshot {
  const initial = initialState({ config: wished, record: { generation, changes: {} }, deadlines });
  return afterSteps(advance(initial, { type: 'restore' }).state);
}

export function advance(state: NodeSnapshot, event: NodeMachineEvent): Advance {
  const [next, actions] = transition(nodeMachine, state, event);
  const done = actions.map(({ type, params }) => ({ type: String(type), params }));
  return {
    state: next,
    outcomes: done
      .filter(({ type }) => type === 'xstate.emit')
      .map(({ params }) => (params as { readonly event: CommandOutcome }).event),
    effects: done.map(({ type }) => type).filter((type) => ['retire', 'cut', 'kill'].includes(type)),
  };
}

/** A node behind a balancer: at a stop it goes on serving for a while. */
export const lameDuckInput = (publicApi: 'running' | 'stopped'): NodeInput => ({
  ...sampleInput(publicApi),
  deadlines: { ...deadlines, lameDuckMs: 10_000 },
});

/** A command with each of its steps succeeding; a port that closes leaves this drain, or none. */
export const carryOut = (state: NodeSnapshot, command: Command, drain: Drain | null = null): NodeSnapshot =>
  answered(afterSteps(advance(state, command).state, drain));

/** A node that has nothing left to do but to answer has done so. */
const answered = (state: NodeSnapshot): NodeSnapshot =>
  'answer' in state.children ? advance(state, portDone('answer')).state : state;

/** Each step under way, and those that follow from it, succeeding; a port that closes leaves this drain, or none. */
export const afterSteps = (state: NodeSnapshot, drain: Drain | null = null): NodeSnapshot =>
  stepsFrom(state, drain).at(-1) ?? state;

/** The machine's own events (`xstate.done.actor.…`) have no place in its event type. */
const inner = (event: { readonly type: string; readonly [key: string]: unknown }): NodeMachineEvent =>
  event as unknown as NodeMachineEvent;

export const portDone = (actor: string, output?: unknown): NodeMachineEvent =>
  inner({ type: `xstate.done.actor.${actor}`, output });

export const portError = (actor: string, reason: string): NodeMachineEvent =>
  inner({ type: `xstate.error.actor.${actor}`, error: new Error(reason) });

/** Everything that may happen in a state: the commands that would be accepted, and the answers of the ports and the clock. */
export function eventsFrom(state: NodeSnapshot, options: ModelOptions = {}): Step[] {
  if (state.status !== 'active') return [];
  if (options.lateEvents === false && 'answer' in state.children) return [stepNamed(portDone('answer'))];
  const events = [...commandEvents(state, options), ...portEvents(state, options), ...clockEvents(state, options)];
  return events.map(stepNamed);
}

export const stepNamed = (event: NodeMachineEvent): Step => ({ name: nameOf(event), event });

function commandEvents(state: NodeSnapshot, { commands = commandNames }: ModelOptions): NodeMachineEvent[] {
  const turn = (name: CommandName) => isSettled(state) || name === 'shutdown';
  return commands
    .filter((name) => turn(name) && judge(state, { type: name }).legal)
    .map((name) => sampleCommands[name]);
}

function portEvents(state: NodeSnapshot, { drains = 2, errors = true }: ModelOptions): NodeMachineEvent[] {
  const draining = state.context.drains;
  const freeId = draining.some(({ id }) => id === 1) ? 2 : 1;
  // The last answers wait for every command under way.
  const atWork = Object.keys(state.children).filter((actor) => actor !== 'answer' || isSettled(state));
  const answers = atWork.flatMap((actor) => [
    portDone(actor, actor === 'close' ? { drain: null } : undefined),
    ...(actor === 'close' && draining.length < drains ? [portDone(actor, { drain: { id: freeId, deadline: 0 } })] : []),
    ...(errors ? [portError(actor, `${actor} failed`)] : []),
  ]);
  return [...answers, ...draining.map(({ id }) => ({ type: 'drain.ended', id }) as const)];
}

/** What the machine's own clock may bring. A lame duck's time passes even where no deadline does. */
function clockEvents(state: NodeSnapshot, { delays = true }: ModelOptions): NodeMachineEvent[] {
  const pause = isLameDuck(state) ? [onwardFrom(state, null)] : [];
  if (!delays) return pause;
  const deadlines = getNextTransitions(state).filter(({ eventType }) => eventType.startsWith('xstate.after.'));
  return [
    ...pause,
    ...[...new Set(deadlines.map(({ eventType }) => eventType))].map((type) => inner({ type })),
    ...state.context.drains.filter(({ isCut }) => !isCut).map(({ id }) => ({ type: 'drain.deadline', id }) as const),
  ];
}

function nameOf(event: NodeMachineEvent): string {
  const [, kind, rest = ''] = /^xstate\.(done\.actor|error\.actor|after)\.(.*)$/.exec(event.type) ?? [];
  if (kind === 'done.actor') return 'output' in event && event.output?.drain ? `${rest}.done draining` : `${rest}.done`;
  if (kind === 'error.actor') return `${rest}.error`;
  if (kind === 'after') return rest.slice(0, rest.indexOf('.'));
  return event.type === 'drain.ended' || event.type === 'drain.deadline' ? `${event.type} ${event.id}` : event.type;
}

/**
 * Distinguishes states by all that decides what may follow, and no more: what is active, which settings are being changed, the
 * drains under way by whether they are cut, whether anything has ever been recorded, and whether a stop begins with a lame
 * duck.
 */
export function keyOf(state: NodeSnapshot): string {
  const { drains, change, record } = state.context;
  const isChanging = state.matches({ up: { record: 'saving' } }) || state.matches({ up: { record: 'applying' } });
  const recorded = state.status === 'active' && Object.keys(record.changes).length > 0;
  const duck = state.status === 'active' && state.context.deadlines.lameDuckMs > 0;
  return JSON.stringify([
    state.value,
    isChanging ? Object.keys(change) : undefined,
    drains.map(({ isCut }) => isCut).sort(),
    recorded,
    ...(duck ? ['duck'] : []),
  ]);
}
