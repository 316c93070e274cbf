// Reachable states of the node machine and the simple paths through them, by the test model of xstate/graph.
import type { ActorLogic } from 'xstate';
import { TestModel } from 'xstate/graph';
import { type Command, commandNames } from '../../machines/commands.ts';
import { judge, type NodeSnapshot, settingsOf, statusOf } from '../../machines/judge.ts';
import { type CommandOutcome, type NodeInput, nodeMachine } from '../../machines/node.ts';
import {
  advance,
  carryOut,
  eventsFrom,
  initialState,
  keyOf,
  lameDuckInput,
  type ModelOptions,
  type NodeMachineEvent,
  recordedInput,
  type Step,
  sampleCommands,
  sampleInput,
  stepNamed,
} from './model.ts';

const restoring = (input: NodeInput) => advance(initialState(input), { type: 'restore' }).state;

/**
 * Where a node begins. `stopped`: its config wants the public API stopped. `restoring`: its config wants it running, and the
 * event `restore` has been given. `…Again`: the same with something recorded by an earlier run. `behindABalancer`: a stop begins with a lame duck.
 */
export const starts = {
  stopped: initialState(sampleInput('stopped')),
  restoring: restoring(sampleInput('running')),
  stoppedAgain: initialState(recordedInput('stopped')),
  restoringAgain: restoring(recordedInput('running')),
  behindABalancer: restoring(lameDuckInput('running')),
} as const satisfies Record<string, NodeSnapshot>;

export type Start = keyof typeof starts;

/** A run that meets no state twice, and is not the beginning of a longer one. */
export interface Path {
  readonly start: Start;
  readonly steps: readonly PathStep[];
}

export interface PathStep extends Step {
  /** The state before the step, and the one it leads to. */
  readonly from: NodeSnapshot;
  readonly state: NodeSnapshot;
  /** The commands whose end the step reports. */
  readonly outcomes: readonly CommandOutcome[];
}

/** createTestModel refuses machines with invokes; the class takes them, their answers being events like any other. */
function modelFrom(start: Start, options: ModelOptions): TestModel<NodeSnapshot, NodeMachineEvent, NodeInput> {
  const logic = nodeMachine as unknown as ActorLogic<NodeSnapshot, NodeMachineEvent, NodeInput>;
  return new TestModel(logic, {
    fromState: starts[start],
    serializeState: keyOf,
    events: (state) => eventsFrom(state, options).map(({ event }) => event),
  });
}

const explored = new Map<string, readonly NodeSnapshot[]>();

/** Every state that any start leads to. Explored once for all who ask. */
export function reachableStates(options: ModelOptions = {}): readonly NodeSnapshot[] {
  const name = JSON.stringify(options);
  const states = explored.get(name) ?? explore(options);
  explored.set(name, states);
  return states;
}

function explore(options: ModelOptions): NodeSnapshot[] {
  const states = new Map<string, NodeSnapshot>();
  for (const start of Object.keys(starts) as Start[])
    for (const [key, { state }] of Object.entries(modelFrom(start, options).getAdjacencyMap())) states.set(key, state);
  return [...states.values()];
}

/** Every simple path from a start. */
export function simplePaths(start: Start, options: ModelOptions = {}): Path[] {
  return withoutBeginnings(inSteps(start, modelFrom(start, options).getSimplePaths({ allowDuplicatePaths: true })));
}

/** A shortest path from a start to each state that it leads to. */
export function shortestPaths(start: Start, options: ModelOptions = {}): Path[] {
  return inSteps(start, modelFrom(start, options).getShortestPaths({ allowDuplicatePaths: true }));
}

type FoundPaths = ReturnType<ReturnType<typeof modelFrom>['getSimplePaths']>;

function inSteps(start: Start, found: FoundPaths): Path[] {
  const edges = new Map<string, PathStep>();
  return found.map(({ steps }) => {
    let from: NodeSnapshot = starts[start];
    const taken = steps.slice(1).map(({ event, state }) => {
      const name = `${keyOf(from)} ${JSON.stringify(event)}`;
      const step = edges.get(name) ?? stepBetween(from, event, state);
      edges.set(name, step);
      from = state;
      return step;
    });
    return { start, steps: taken };
  });
}

function stepBetween(from: NodeSnapshot, event: NodeMachineEvent, state: NodeSnapshot): PathStep {
  const { name } = stepNamed(event);
  return { name, event, from, state, outcomes: advance(from, event).outcomes };
}

export const namesOf = (path: Path): string[] => path.steps.map(({ name }) => name);

function withoutBeginnings(paths: readonly Path[]): Path[] {
  const beginnings = new Set<string>();
  for (const path of paths) {
    const names = namesOf(path);
    for (let length = 0; length < names.length; length++) beginnings.add(names.slice(0, length).join(' → '));
  }
  return paths.filter((path) => !beginnings.has(namesOf(path).join(' → ')));
}

/** A command given to a settled node, and what it leads to when each of its steps succeeds. */
export interface SettledStep {
  readonly command: Command;
  readonly from: NodeSnapshot;
  /** Settled, too. */
  readonly state: NodeSnapshot;
}

/** Every simple path from one settled state to the next; nothing drains, so that a shutdown leads to the end. */
export function settledPaths(start: NodeSnapshot): SettledStep[][] {
  const wishKey = (state: NodeSnapshot) => JSON.stringify([statusOf(state), settingsOf(state)]);
  const onward = (state: NodeSnapshot, seen: ReadonlySet<string>): SettledStep[][] => {
    const steps = commandNames
      .filter((type) => judge(state, { type }).legal)
      .map((type) => ({ command: sampleCommands[type], from: state, state: carryOut(state, sampleCommands[type]) }))
      .filter((step) => !seen.has(wishKey(step.state)));
    if (steps.length === 0) return [[]];
    return steps.flatMap((step) =>
      onward(step.state, new Set([...seen, wishKey(step.state)])).map((rest) => [step, ...rest]),
    );
  };
  return onward(start, new Set([wishKey(start)]));
}
