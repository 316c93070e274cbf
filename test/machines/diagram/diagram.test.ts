// The pictures: of a small machine with everything that a machine may have, and of the node machine.
import { expect } from 'chai';
import { and, createActor, createMachine, fromPromise, not, setup } from 'xstate';
import { commandNames } from '../../../machines/commands.ts';
import { type Diagram, elementId, fullDiagram, outline, partOf } from '../../../machines/diagram/diagram.ts';
import { toDot } from '../../../machines/diagram/dot.ts';
import { toMermaid } from '../../../machines/diagram/mermaid.ts';
import { activeIds } from '../../../machines/diagram/trace.ts';
import { nodeMachine } from '../../../machines/node.ts';
import { nodeDiagram, nodeOutline } from '../../../machines/node-diagram.ts';
import { dotToSvg, unpainted } from '../../../src/base/diagram-svg.ts';
import { initialState, sampleInput } from '../../support/model.ts';

const kettle = setup({
  actors: { heat: fromPromise(async () => {}) },
  guards: { hasWater: () => true, isHot: () => true, isFull: (_, _litres: { least: number }) => true },
  actions: { whistle: () => {} },
  delays: { patience: 1000 },
}).createMachine({
  id: 'kettle',
  initial: 'cold',
  states: {
    cold: {
      description: 'on the shelf',
      on: {
        'switch-on': { guard: and(['hasWater', not('isHot')]), target: 'heating' },
        fill: { guard: { type: 'isFull', params: { least: 1 } }, actions: 'whistle' },
        shake: { guard: () => true, target: 'cold', reenter: true },
      },
    },
    heating: {
      tags: 'busy',
      initial: 'slowly',
      on: { 'switch-off': 'cold', hurry: '.fast' },
      states: {
        slowly: {
          invoke: { id: 'heat', src: 'heat', onDone: 'ready', onError: '#kettle.cold' },
          after: { patience: 'fast', 5000: 'fast' },
        },
        fast: { on: { 'switch-off': '#kettle.cold' } },
        ready: { type: 'final' },
      },
      onDone: { target: 'judging', description: 'it boils' },
    },
    judging: { always: [{ guard: 'isHot', target: 'poured', description: 'hot enough' }, { target: 'cold' }] },
    poured: { type: 'final' },
  },
});

const commands = ['switch-on', 'switch-off'];

const namedEdges = ({ edges }: Diagram): string[] =>
  edges.map(({ source, target, labels }) => {
    const words = labels.map(({ kind, text, guard }) => `${kind}:${text}${guard ? `[${guard}]` : ''}`);
    return `${source} > ${target} ${words.join(' ')}`.trim();
  });

describe('the full diagram', () => {
  const diagram = fullDiagram(kettle, { commands });

  it('has every state with its kind, invokes and actions', () => {
    expect(diagram.nodes.map(({ name, kind, initial }) => [name, kind, initial])).to.deep.equal([
      ['kettle', 'compound', false],
      ['cold', 'atomic', true],
      ['heating', 'compound', false],
      ['slowly', 'atomic', true],
      ['fast', 'atomic', false],
      ['ready', 'final', false],
      ['judging', 'atomic', false],
      ['poured', 'final', false],
    ]);
    const [, cold, heating, slowly] = diagram.nodes;
    expect(cold).to.include({ parent: 'kettle', description: 'on the shelf' });
    expect(cold?.reactions).to.deep.equal(['fill']);
    expect(heating?.tags).to.deep.equal(['busy']);
    expect(slowly?.invokes).to.deep.equal(['heat']);
  });

  it('has every transition with its trigger and guard', () => {
    expect(namedEdges(diagram)).to.deep.equal([
      'kettle.cold > kettle.heating command:switch-on[hasWater and not isHot]',
      'kettle.cold > kettle.cold event:shake[…]',
      'kettle.heating > kettle.cold command:switch-off',
      'kettle.heating > kettle.heating.fast event:hurry',
      'kettle.heating > kettle.judging done:kettle.heating done',
      'kettle.heating.slowly > kettle.heating.ready done:heat done',
      'kettle.heating.slowly > kettle.cold error:heat failed',
      'kettle.heating.slowly > kettle.heating.fast delay:after 5000',
      'kettle.heating.slowly > kettle.heating.fast delay:after patience',
      'kettle.heating.fast > kettle.cold command:switch-off',
      'kettle.judging > kettle.poured always:[isHot]',
      'kettle.judging > kettle.cold',
    ]);
  });

  it('can be reduced to one state and its successors', () => {
    const part = partOf(diagram, 'kettle.heating');
    expect(part.nodes.map(({ id, parent }) => [id, parent])).to.deep.equal([
      ['kettle.cold', 'kettle.heating'],
      ['kettle.heating', null],
      ['kettle.heating.slowly', 'kettle.heating'],
      ['kettle.heating.fast', 'kettle.heating'],
      ['kettle.heating.ready', 'kettle.heating'],
      ['kettle.judging', 'kettle.heating'],
    ]);
  });
});

describe('the outline', () => {
  it('folds inner states, skips transient ones, and uses the descriptions of the machine', () => {
    expect(namedEdges(outline(kettle, { commands, depth: 1 }))).to.deep.equal([
      'kettle.cold > kettle.heating command:switch-on',
      'kettle.heating > kettle.cold command:switch-off',
      'kettle.heating > kettle.poured done:hot enough',
      'kettle.heating > kettle.cold done:it boils',
      'kettle.heating > kettle.cold',
    ]);
  });

  it('shows the operator the four regions of the node and the end', () => {
    const states = nodeOutline.nodes.map(({ id }) => id.replace(/^node\.(up\.)?/, ''));
    expect(states).to.deep.equal([
      'node',
      ...['up', 'node', 'node.running', 'node.shuttingDown'],
      ...['publicApi', 'publicApi.stopped', 'publicApi.starting', 'publicApi.running'],
      ...['publicApi.lameDuck', 'publicApi.stopping'],
      ...['drain', 'drain.none', 'drain.draining', 'drain.cutting'],
      ...['record', 'record.settled', 'record.saving', 'record.applying', 'record.rewriting'],
      'exited',
    ]);
  });

  it('has a trigger on every edge', () => {
    expect(nodeOutline.edges.filter(({ labels }) => labels.length === 0).map(({ id }) => id)).to.deep.equal([]);
  });

  it('has an edge for every command', () => {
    const given = nodeOutline.edges.flatMap(({ labels }) => labels.filter(({ kind }) => kind === 'command'));
    expect(new Set(given.map(({ text }) => text))).to.deep.equal(new Set(commandNames));
  });
});

describe('the node diagram', () => {
  it('has every state of the machine, each edge between states that it has', () => {
    const ids = new Set(nodeDiagram.nodes.map(({ id }) => id));
    expect(ids.size).to.equal(nodeDiagram.nodes.length);
    for (const { source, target } of nodeDiagram.edges) expect([...ids]).to.include.members([source, target]);
  });

  it('has the active states, ancestors included', () => {
    const ids = activeIds(initialState(sampleInput('stopped')));
    expect(ids).to.include.members(['node', 'node.up', 'node.up.publicApi', 'node.up.publicApi.stopped']);
    expect(ids).not.to.include('node.up.publicApi.running');
    const actor = createActor(nodeMachine, { input: sampleInput('stopped') });
    expect(new Set(activeIds(actor.getSnapshot()))).to.deep.equal(new Set(ids));
  });
});

describe('a diagram as DOT', () => {
  it('gives every state and every edge an id and a class', async () => {
    const svg = await dotToSvg(toDot(nodeOutline, { active: ['node.up.publicApi.running'] }));
    for (const { id, kind } of nodeOutline.nodes.slice(1)) {
      const [, classes] = new RegExp(`id="${elementId(id)}" class="([^"]*)"`).exec(decoded(svg)) ?? [];
      expect(classes, id).to.include(`state ${kind}`);
      expect(classes?.split(' ').includes('active'), id).to.equal(id === 'node.up.publicApi.running');
    }
    for (const { id } of nodeOutline.edges) expect(decoded(svg)).to.include(`id="${elementId(id)}" class="edge edge`);
  });

  it('lays out larger than it draws, and centres the drawing', async () => {
    const svg = await dotToSvg(toDot(fullDiagram(kettle)));
    expect(svg).to.match(/^<svg/).and.to.include('font-size="12.0"').and.not.to.include('font-size="14');
    expect(svg).not.to.include('text-anchor="start"');
  });

  it('names the commands that trigger an edge', async () => {
    const svg = decoded(await dotToSvg(toDot(nodeOutline)));
    for (const name of ['stop-api', 'shutdown']) {
      const id = `node-up-publicApi-running-to-node-up-publicApi-stopping-by-${name}`;
      expect(svg).to.match(new RegExp(`id="${id}" class="edge edge command on-${name}"`));
    }
  });

  it('can be drawn without colours: positions, ids and classes, for a style sheet', async () => {
    const svg = unpainted(await dotToSvg(toDot(nodeOutline)));
    expect(svg)
      .to.match(/^<svg width="\d+" height="\d+" viewBox="[^"]+">/)
      .and.not.match(/ (fill|stroke|font-\w+|style)=|<title>/);
    for (const { id } of nodeOutline.nodes.slice(1)) expect(svg).to.include(`<g id="${elementId(id)}" class="`);
    for (const { id } of nodeOutline.edges) expect(svg).to.include(`<g id="${elementId(id)}" class="edge`);
    expect(svg).to.include('class="name">stop-api</text>');
    const other = unpainted(await dotToSvg(toDot(nodeOutline, { rankdir: 'TB' })), 'other-');
    expect(other).to.include('<g id="other-node-up" class="').and.not.include(' id="node');
  });

  it('escapes characters that are special in DOT', () => {
    const odd = createMachine({ id: 'a"b', initial: 'x<y', states: { 'x<y': { on: { 'p&q': 'z' } }, z: {} } });
    const dot = toDot(fullDiagram(odd));
    expect(dot).to.include('digraph "a\\"b"').and.include('x&lt;y').and.include('p&amp;q');
  });

  it('refuses an edge to an unknown state', () => {
    const broken = { ...nodeOutline, nodes: nodeOutline.nodes.slice(0, 4) };
    expect(() => toDot(broken)).to.throw('no such state');
  });
});

/** Graphviz writes every hyphen in an attribute as a character reference. */
const decoded = (svg: string): string => svg.replaceAll('&#45;', '-');

describe('a diagram as Mermaid', () => {
  it('nests states, separates regions, and has a final state', () => {
    const text = toMermaid(nodeOutline, { active: ['node.up.publicApi', 'node.up.publicApi.running'] });
    expect(text).to.match(/^stateDiagram-v2\n/);
    expect(text.match(/^ +--$/gm)).to.have.lengthOf(3);
    expect(text).to.include('node_up_publicApi_stopped --> node_up_publicApi_starting : start-api\n');
    expect(text).to.include('node_exited --> [*]');
    expect(text).to.include('class node_up_publicApi_running active');
  });

  it('draws an edge to an inner state from the border of the outer state', () => {
    expect(toMermaid(fullDiagram(kettle))).to.include('kettle_heating_slowly --> kettle_heating_fast : hurry');
  });

  it('names invokes, and marks no state unless some are active', () => {
    const text = toMermaid(partOf(fullDiagram(kettle), 'kettle.heating'));
    expect(text).to.include('kettle_heating_slowly : runs heat');
    expect(text).not.to.include(' active\n');
  });
});
