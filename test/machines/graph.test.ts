// What holds over the whole graph of the node machine, by name.
import { expect } from 'chai';
import { type AnyStateNode, getNextTransitions, type StateNode } from 'xstate';
import { commandNames } from '../../machines/commands.ts';
import { activeIds } from '../../machines/diagram/trace.ts';
import {
  isLameDuck,
  isSettled,
  judge,
  type NodeSnapshot,
  onwardFrom,
  previewCommands,
  statusOf,
} from '../../machines/judge.ts';
import { nodeMachine } from '../../machines/node.ts';
import { type Advance, advance, eventsFrom, keyOf, type Step } from '../support/model.ts';
import { reachableStates, starts } from '../support/paths.ts';

type Port = 'open' | 'closed' | 'uncertain';

/** A state together with what its history says of the port and of the commands still to be answered. */
interface Walk {
  readonly state: NodeSnapshot;
  readonly port: Port;
  readonly unanswered: readonly string[];
}

/** What the effects leave behind: a step that was given up may or may not have opened the port. */
function portAfter(before: Port, { name }: Step, { effects }: Advance): Port {
  // Workers that are killed because they did not take the settings are replaced by some that listen where they did.
  if (name.startsWith('configure')) return before;
  if (effects.includes('kill') || name.startsWith('close.done')) return 'closed';
  if (name === 'listen.done') return 'open';
  if (name === 'listen.error') return 'closed';
  return name === 'listenDeadline' || name === 'restoreDeadline' ? 'uncertain' : before;
}

function follow(walk: Walk, step: Step): Walk {
  const taken = advance(walk.state, step.event);
  const waiting = [...walk.unanswered, ...commandNames.filter((name) => name === step.name)];
  for (const { command } of taken.outcomes) {
    const place = waiting.indexOf(String(command));
    expect(place, `${command} is answered twice, after ${step.name} in ${keyOf(walk.state)}`).not.to.equal(-1);
    waiting.splice(place, 1);
  }
  // A machine that forgets to answer would have ever more walks, without an end.
  expect(waiting.length, `${waiting} wait, after ${step.name} in ${keyOf(walk.state)}`).to.be.at.most(2);
  return { state: taken.state, port: portAfter(walk.port, step, taken), unanswered: waiting.sort() };
}

const walkKey = ({ state, port, unanswered }: Walk): string => [keyOf(state), port, ...unanswered].join(' ');

/** Every walk that differs from the others, each with what it leads to. */
function everyWalk(): { walk: Walk; next: { step: Step; walk: Walk }[] }[] {
  const seen = new Set<string>();
  const found: { walk: Walk; next: { step: Step; walk: Walk }[] }[] = [];
  const queue: Walk[] = Object.values(starts).map((state) => ({ state, port: 'closed', unanswered: [] }));
  for (let walk = queue.shift(); walk; walk = queue.shift()) {
    const { state } = walk;
    if (seen.has(walkKey(walk))) continue;
    seen.add(walkKey(walk));
    const here = walk;
    const next = eventsFrom(state).map((step) => ({ step, walk: follow(here, step) }));
    found.push({ walk, next });
    queue.push(...next.map((one) => one.walk));
  }
  return found;
}

describe('the graph of the node machine', () => {
  const walks = everyWalk();
  const states = reachableStates();

  it('is explored with the same result by the test model of xstate and by our own walk', () => {
    expect(new Set(walks.map(({ walk }) => keyOf(walk.state)))).to.deep.equal(new Set(states.map(keyOf)));
  });

  it('reaches every state that the machine has', () => {
    const reached = new Set(states.flatMap(activeIds));
    expect(everyStateId(nodeMachine.root).filter((id) => !reached.has(id))).to.deep.equal([]);
  });

  it('leaves shutting down only for the final state', () => {
    for (const { walk, next } of walks)
      if (walk.state.status === 'active' && statusOf(walk.state).node === 'shuttingDown')
        for (const { walk: after } of next) expect(statusOf(after.state).node).to.equal('shuttingDown');
  });

  it('reaches the final state from every state', () => {
    const ends = new Set(walks.filter(({ walk }) => walk.state.status === 'done').map(({ walk }) => walkKey(walk)));
    for (let grown = true; grown; ) {
      const before = ends.size;
      for (const { walk, next } of walks) if (next.some((one) => ends.has(walkKey(one.walk)))) ends.add(walkKey(walk));
      grown = ends.size > before;
    }
    expect(walks.filter(({ walk }) => !ends.has(walkKey(walk))).map(({ walk }) => walkKey(walk))).to.deep.equal([]);
  });

  it('has no dead end except the final state', () => {
    for (const { walk, next } of walks)
      expect(next.length > 0, keyOf(walk.state)).to.equal(walk.state.status === 'active');
  });

  it('listens when the public API is running, and has released the port when it is stopped', () => {
    for (const { walk } of walks) {
      const { publicApi } = statusOf(walk.state);
      if (publicApi === 'running') expect(walk.port, walkKey(walk)).to.equal('open');
      if (publicApi === 'stopped') expect(walk.port, walkKey(walk)).to.equal('closed');
    }
  });

  it('serves as long as it is a lame duck', () => {
    const ducks = walks.filter(({ walk }) => walk.state.matches({ up: { publicApi: 'lameDuck' } }));
    expect(ducks.length).to.be.greaterThan(1);
    for (const { walk } of ducks) expect(walk.port, walkKey(walk)).to.equal('open');
  });

  it('gives a reason with every refusal', () => {
    for (const state of states)
      for (const type of commandNames) {
        const judgement = judge(state, { type });
        if (!judgement.legal) expect(judgement.reason, `${type} in ${keyOf(state)}`).to.match(/^[A-Z].+/);
      }
  });

  it('answers every accepted command exactly once', () => {
    // Each step of the walk checks that no command is answered twice; this checks that none is left unanswered.
    for (const { walk } of walks) {
      if (walk.state.status === 'done') expect(walk.unanswered, walkKey(walk)).to.deep.equal([]);
      else if (isSettled(walk.state)) expect(walk.unanswered, walkKey(walk)).to.deep.equal([]);
      expect(new Set(walk.unanswered).size, walkKey(walk)).to.equal(walk.unanswered.length);
    }
  });

  it('gives every busy state a step under way or a pause, and every step a deadline', () => {
    for (const state of states) {
      const steps = Object.keys(state.children);
      // Until the last answer is given, settings may still be changed.
      const isUnderWay = steps.some((id) => id !== 'answer') || isLameDuck(state);
      if (state.status === 'active') expect(isUnderWay, keyOf(state)).to.equal(!isSettled(state));
      const invoking = activeStates(state).filter(({ invoke }) => invoke.length > 0);
      expect(invoking.flatMap(({ invoke }) => invoke.map(({ id }) => id)).sort()).to.deep.equal(steps.sort());
      for (const node of invoking) expect(node.after.length, node.id).to.equal(1);
    }
  });

  it('names in every busy state the events that end it, and they do', () => {
    for (const state of states.filter((one) => !isSettled(one))) {
      const onward = onwardFrom(state, null);
      expect(getNextTransitions(state).map(({ eventType }) => eventType)).to.include(onward.type);
      expect(advance(state, onward).state.value, keyOf(state)).not.to.deep.equal(state.value);
    }
  });

  it('writes one record at a time', () => {
    for (const state of states) {
      const writing = activeStates(state).filter(({ invoke }) => invoke.some(({ src }) => src === 'save'));
      expect(writing.length, keyOf(state)).to.be.at.most(1);
    }
  });

  it('says "already" only where it is true, in a preview too', () => {
    // What is active decides the words: one state of each kind will do.
    const kinds = new Map(states.map((state) => [JSON.stringify(state.value), state]));
    for (const state of kinds.values())
      for (const preview of Object.values(previewCommands(state))) {
        const { publicApi } = statusOf(state);
        if (preview.legal) continue;
        if (preview.reason === 'Already stopped') expect(publicApi, keyOf(state)).to.equal('stopped');
        if (preview.reason === 'Already started') expect(publicApi, keyOf(state)).to.equal('running');
        if (isLameDuck(state)) expect(preview.reason).to.match(/^(Already stopping|Node is .*|Already shutting down)$/);
      }
  });

  it('drops drains that ended early once the close that left them is over', () => {
    for (const state of states)
      if (!state.matches({ up: { publicApi: { stopping: 'closing' } } }))
        for (const { state: next } of [advance(state, { type: 'drain.ended', id: 99 })])
          expect(next.context.endedEarly, keyOf(state)).to.deep.equal(state.context.endedEarly);
  });

  it('accepts a shutdown at once in every state of a running node', () => {
    for (const state of states)
      expect(judge(state, { type: 'shutdown' }).legal, keyOf(state)).to.equal(statusOf(state).node === 'running');
  });

  it('changes nothing on a refused command', () => {
    for (const state of states.filter(({ status }) => status === 'active'))
      for (const type of commandNames)
        if (!judge(state, { type }).legal) expect(advance(state, { type, workerId: 9 }).state, type).to.equal(state);
  });

  it('gives every invoked actor an id and an error handler', () => {
    for (const id of everyStateId(nodeMachine.root)) {
      const node = nodeMachine.getStateNodeById(id);
      for (const { id: actor, src } of node.invoke) {
        expect(actor).to.equal(src);
        expect([...node.transitions.keys()]).to.include.members([
          `xstate.done.actor.${actor}`,
          `xstate.error.actor.${actor}`,
        ]);
      }
    }
  });
});

const activeStates = (state: NodeSnapshot): AnyStateNode[] =>
  activeIds(state).map((id) => nodeMachine.getStateNodeById(id));

function everyStateId(node: Pick<StateNode, 'id' | 'states'>): string[] {
  return [node.id, ...Object.values(node.states).flatMap((child) => everyStateId(child))];
}
