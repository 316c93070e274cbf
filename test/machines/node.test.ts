// What the graph of the node machine does not show: its effects, their input, and what comes out of order.
import { expect } from 'chai';
import { createActor, waitFor } from 'xstate';
import { isSettled, judge, type NodeSnapshot, statusOf } from '../../machines/judge.ts';
import { type CommandOutcome, nodeMachine } from '../../machines/node.ts';
import {
  advance,
  carryOut,
  initialState,
  type NodeMachineEvent,
  portDone,
  portError,
  recordedInput,
  sampleInput,
} from '../support/model.ts';

const stopped = initialState(sampleInput('stopped'));
const running = carryOut(stopped, { type: 'start-api' });

const follow = (state: NodeSnapshot, ...events: NodeMachineEvent[]): NodeSnapshot =>
  events.reduce((next, event) => advance(next, event).state, state);

describe('the node machine', () => {
  it('runs from start to end by itself, with ports that do nothing', async () => {
    const actor = createActor(nodeMachine, { input: sampleInput('running') });
    const outcomes: CommandOutcome['command'][] = [];
    actor.on('outcome', ({ command }) => outcomes.push(command));
    actor.start();
    actor.send({ type: 'restore' });
    for (const type of ['stop-api', 'start-api', 'set-buckets', 'shutdown'] as const) {
      await waitFor(actor, isSettled, { timeout: 30_000 });
      actor.send({ type });
    }
    await waitFor(actor, ({ status }) => status === 'done', { timeout: 30_000 });
    expect(outcomes).to.deep.equal(['stop-api', 'start-api', 'set-buckets', 'shutdown']);
    expect(actor.getSnapshot().output).to.deep.equal({ exitCode: 0 });
  });

  it('accepts nothing more at its end', () => {
    const exited = carryOut(running, { type: 'shutdown' });
    for (const type of ['shutdown', 'start-api', 'set-buckets'] as const)
      expect(judge(exited, { type }).legal).to.equal(false);
  });

  it('does not wait for a drain that ended before its close was reported', () => {
    const early = follow(running, { type: 'shutdown' }, { type: 'drain.ended', id: 5 });
    const isDraining = (id: number) =>
      follow(early, portDone('close', { drain: { id, deadline: 0 } }), portDone('save')).matches({
        up: { drain: 'draining' },
      });
    expect([5, 6].map(isDraining)).to.deep.equal([false, true]);
  });

  it('forgets drains that ended before their close was reported', () => {
    let state = running;
    for (let id = 1; id <= 20; id += 1) {
      const closing = follow(state, { type: 'stop-api' }, { type: 'drain.ended', id });
      expect(closing.context.endedEarly).to.deep.equal([id]);
      state = carryOut(follow(closing, portDone('close', { drain: { id, deadline: 0 } }), portDone('save')), {
        type: 'start-api',
      });
      expect(state.context.drains).to.deep.equal([]);
    }
  });

  it('takes different transitions for a drain that was cut and one that completed', () => {
    const drain = (id: number) => ({ id, deadline: 0 });
    const first = carryOut(running, { type: 'stop-api' }, drain(1));
    const both = carryOut(carryOut(first, { type: 'start-api' }), { type: 'stop-api' }, drain(2));
    const cut = follow(both, { type: 'drain.deadline', id: 1 });
    const at = ({ value }: NodeSnapshot) => (typeof value === 'string' ? value : value.up.drain);
    const ended = (state: NodeSnapshot, id: number) => follow(state, { type: 'drain.ended', id });
    expect([both, cut].map(at)).to.deep.equal(['draining', 'cutting']);
    expect([ended(cut, 1), ended(cut, 2), ended(ended(cut, 1), 2)].map(at)).to.deep.equal([
      'draining',
      'cutting',
      'none',
    ]);
    const cutBoth = follow(cut, { type: 'drain.deadline', id: 2 });
    expect([cutBoth, ended(cutBoth, 2), ended(ended(cutBoth, 2), 1)].map(at)).to.deep.equal([
      'cutting',
      'cutting',
      'none',
    ]);
  });

  it('takes settings until its last answers are sent, and finishes a save that is under way at the deadline', () => {
    const answering = follow(stopped, { type: 'shutdown' });
    expect(answering.matches({ up: { node: { shuttingDown: 'answering' } } })).to.equal(true);
    const saving = follow(answering, { type: 'set-worker', workerId: 9 });
    const [deadline] = saving._nodes.flatMap(({ id, after }) => (id.endsWith('answering') ? after : []));
    const late = follow(saving, { type: deadline?.eventType } as unknown as NodeMachineEvent);
    expect(late.status).to.equal('active');
    const { state, outcomes } = advance(follow(late, portDone('save')), portDone('configure'));
    expect(outcomes).to.deep.include({ type: 'outcome', command: 'set-worker', result: 'done', reason: '' });
    expect(state.output).to.deep.equal({ exitCode: 0 });
  });

  it('does not cut a drain that has ended', () => {
    const both = { type: 'drain.deadline', id: 1 } as const;
    const drained = carryOut(running, { type: 'stop-api' }, { id: 1, deadline: 0 });
    expect(advance(drained, both).effects).to.deep.equal(['cut']);
    expect(advance(follow(drained, { type: 'drain.ended', id: 1 }), both).effects).to.deep.equal([]);
  });

  it('reports the message of a rejected effect', () => {
    const opening = follow(stopped, { type: 'start-api' });
    const plain = { ...portError('listen', ''), error: 'no such address' } as unknown as NodeMachineEvent;
    const [outcome] = advance(opening, plain).outcomes;
    expect(outcome).to.include({ command: 'start-api', result: 'failed', reason: 'no such address' });
  });

  it('kills server processes that do not take settings, and succeeds: their replacements have them', () => {
    const applying = follow(running, { type: 'set-worker', workerId: 9 }, portDone('save'));
    const { effects, outcomes } = advance(applying, portError('configure', 'worker hangs'));
    expect(effects).to.deep.equal(['kill']);
    expect(outcomes).to.deep.include({ type: 'outcome', command: 'set-worker', result: 'done', reason: '' });
  });

  it('keeps the old settings in memory if a change cannot be saved; a stop is carried out', () => {
    const failed = follow(running, { type: 'set-worker', workerId: 9 }, portError('save', 'disk full'));
    expect(failed.context.record).to.equal(running.context.record);
    const stopping = follow(
      running,
      { type: 'stop-api' },
      portDone('close', { drain: null }),
      portError('save', 'disk full'),
    );
    expect(stopping.context.record.changes.publicApi).to.equal('stopped');
    expect(stopping.context.saveFailure).to.equal('disk full');
  });

  it('starts from the saved desired state, and does not change it by a shutdown', () => {
    const record = { generation: 4, changes: { publicApi: 'stopped' } } as const;
    const again = initialState({ ...sampleInput('running'), record });
    expect(again.can({ type: 'restore' })).to.equal(false);
    expect(follow(again, { type: 'shutdown' }).context.record).to.equal(record);
  });

  it('undoes on disk a start that a shutdown overtook during its save', () => {
    const overtaken = follow(stopped, { type: 'start-api' }, portDone('listen'), { type: 'shutdown' });
    expect(overtaken.context.saveFailure).to.match(/overtaken/);
    const writing = follow(overtaken, portDone('close', { drain: null }));
    expect(writing.matches({ up: { record: { rewriting: 'writing' } } })).to.equal(true);
    expect(writing.context.record).to.deep.equal(stopped.context.record);
    expect(follow(writing, portDone('save'), portDone('answer')).status).to.equal('done');
  });

  it('does not restore the public API after an early shutdown', () => {
    const ending = follow(initialState(recordedInput('running')), { type: 'shutdown' });
    expect(statusOf(ending).node).to.equal('shuttingDown');
    expect(follow(ending, { type: 'restore' })).to.equal(ending);
  });

  it('reports an unsaved change until a save succeeds', () => {
    const change = { type: 'set-worker', workerId: 9 } as const;
    const failed = follow(running, change, portError('save', 'disk full'));
    expect(failed.context.saveFailure).to.equal('disk full');
    for (const command of [change, { type: 'stop-api' } as const])
      expect(carryOut(failed, command).context.saveFailure).to.equal(null);
  });

  it('reports why the public API could not start until it runs', () => {
    const alone = follow(initialState(sampleInput('running')), { type: 'restore' }, portError('listen', 'port taken'));
    expect(alone.context.listenFailure).to.equal('port taken');
    expect(carryOut(alone, { type: 'start-api' }).context.listenFailure).to.equal(null);
  });
});
