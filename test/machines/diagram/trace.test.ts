// The edges that a running machine goes along, in the full diagram and in its outline.
import { expect } from 'chai';
import { type AnyTransitionDefinition, createActor, createMachine } from 'xstate';
import { fullDiagram, outline } from '../../../machines/diagram/diagram.ts';
import { transitionTrace } from '../../../machines/diagram/trace.ts';

const lift = createMachine({
  id: 'lift',
  initial: 'ground',
  states: {
    ground: { on: { up: { target: 'deciding', description: 'off it goes' }, ring: { actions: () => {} } } },
    deciding: { always: 'moving.slowly' },
    moving: { initial: 'slowly', states: { slowly: { on: { hurry: 'fast', stop: '#lift.ground' } }, fast: {} } },
  },
});

describe('the transition trace', () => {
  const full = new Set(fullDiagram(lift).edges.map(({ id }) => id));
  const short = outline(lift, { depth: 1 });

  function transitionsOf(...events: string[]): AnyTransitionDefinition[] {
    let transitions: AnyTransitionDefinition[] = [];
    const actor = createActor(lift, {
      inspect: (inspection) => {
        if (inspection.type === '@xstate.microstep') transitions.push(...inspection._transitions);
      },
    }).start();
    for (const type of events) {
      transitions = [];
      actor.send({ type });
    }
    return transitions;
  }

  it('has the edges of the diagram', () => {
    const taken = transitionTrace(transitionsOf('up'));
    expect(taken).to.deep.equal(['lift.ground to lift.deciding by up', 'lift.deciding to lift.moving.slowly']);
    for (const id of taken) expect(full).to.include(id);
  });

  it('is one edge in an outline, where a state is passed over', () => {
    expect(transitionTrace(transitionsOf('up'), short)).to.include('lift.ground to lift.moving by off it goes');
    expect(short.edges.map(({ id }) => id)).to.include('lift.ground to lift.moving by off it goes');
  });

  it('is empty in an outline within a folded state', () => {
    expect(transitionTrace(transitionsOf('up', 'hurry'), short)).to.deep.equal([
      'lift.moving.slowly to lift.moving.fast by hurry',
    ]);
  });

  it('is empty where no state is left', () => {
    expect(transitionTrace(transitionsOf('ring'), short)).to.deep.equal([]);
  });
});
