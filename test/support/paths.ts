// Reachable states of the node machine and the simple paths through them, by the test model of xstate/graph.
import type { ActorLogic } from 'xstate';
import { TestModel } from 'xstate/graph';
import type { NodeSnapshot } from '../../machines/judge.ts';
import { type NodeInput, nodeMachine } from '../../machines/node.ts';
import {
  advance,
  initialState,
  keyOf,
  type ModelOptions,
  type NodeMachineEvent,
  recordedInput,
  type Step,
  sampleInput,
  stepsFrom,
} from './model.ts';

const restoring = (input: NodeInput) => advance(initialState(input), { type: 'restore' }).state;

/**
 * Where a node begins. `stopped`: its config wants the public API stopped. `restoring`: its config wants it running, and the
 * event `restore` has been given. `again…`: the same with something recorded by an earlier run.
 */
export const starts = {
  stopped: initialState(sampleInput('stopped')),
  restoring: restoring(sampleInput('running')),
  stoppedAgain: initialState(recordedInput('stopped')),
  restoringAgain: restoring(recordedInput('running')),
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
}

/** createTestModel refuses machines with invokes; the class takes them, their answers being events like any other. */
function modelFrom(start: Start, options: ModelOptions): TestModel<NodeSnapshot, NodeMachineEvent, NodeInput> {
  const logic = nodeMachine as unknown as ActorLogic<NodeSnapshot, NodeMachineEvent, NodeInput>;
  return new TestModel(logic, {
    fromState: starts[start],
    serializeState: keyOf,
    events: (state) => stepsFrom(state, options).map(({ event }) => event),
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
  const found = modelFrom(start, options).getSimplePaths({ allowDuplicatePaths: true });
  const paths = found.map(({ steps }) => ({
    start,
    steps: named(
      start,
      steps.slice(1).map(({ event }) => event),
    ),
  }));
  return withoutBeginnings(paths);
}

/** Follows events from a start, with the name of each and the states between them. */
function named(start: Start, events: readonly NodeMachineEvent[]): PathStep[] {
  let from = starts[start];
  return events.map((event) => {
    const step = stepsFrom(from).find((one) => JSON.stringify(one.event) === JSON.stringify(event));
    if (!step) throw new Error(`No step leads from ${keyOf(from)} by ${JSON.stringify(event)}`);
    const taken = { ...step, from, state: advance(from, event).state };
    from = taken.state;
    return taken;
  });
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
