// The edges that a running machine goes along, in the full diagram and in its outline.
import { expect } from 'chai';
import { type AnyTransitionDefinition, createActor, createMachine } from 'xstate';
import { fullDiagram, outline } from '../../machines/diagram.ts';
import { takenEdges } from '../../machines/taken.ts';

const lift = createMachine({
  id: 'lift',
  initial: 'ground',
  states: {
    ground: { on: { up: 'deciding', ring: { actions: () => {} } } },
    deciding: { always: 'moving.slowly' },
    moving: { initial: 'slowly', states: { slowly: { on: { hurry: 'fast', stop: '#lift.ground' } }, fast: {} } },
  },
});

describe('the edges taken', () => {
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

  it('are those of the diagram', () => {
    const taken = takenEdges(transitionsOf('up'));
    expect(taken).to.deep.equal(['lift.ground to lift.deciding', 'lift.deciding to lift.moving.slowly']);
    for (const id of taken) expect(full).to.include(id);
  });

  it('are one in an outline, where a state is passed over', () => {
    expect(takenEdges(transitionsOf('up'), short)).to.include('lift.ground to lift.moving');
    expect(short.edges.map(({ id }) => id)).to.include('lift.ground to lift.moving');
  });

  it('are none in an outline within a state that is folded there', () => {
    expect(takenEdges(transitionsOf('up', 'hurry'), short)).to.deep.equal(['lift.moving.slowly to lift.moving.fast']);
  });

  it('are none where nothing is left', () => {
    expect(takenEdges(transitionsOf('ring'), short)).to.deep.equal([]);
  });
});
