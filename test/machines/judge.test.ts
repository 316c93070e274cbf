// Questions to the node machine.
import { expect } from 'chai';
import type { CommandName } from '../../machines/commands.ts';
import {
  allowedCommands,
  desiredOf,
  isLameDuck,
  isSettled,
  judge,
  onwardFrom,
  previewCommands,
  settingsOf,
  settle,
  simulate,
  statusOf,
} from '../../machines/judge.ts';
import {
  advance,
  carryOut,
  initialState,
  lameDuckInput,
  portDone,
  recordedInput,
  sampleInput,
} from '../support/model.ts';

const stopped = initialState(sampleInput('stopped'));
const starting = advance(stopped, { type: 'start-api' }).state;
const running = carryOut(stopped, { type: 'start-api' });
const stopping = advance(running, { type: 'stop-api' }).state;
const draining = carryOut(running, { type: 'shutdown' }, { id: 1, deadline: 0 });
const exited = carryOut(running, { type: 'shutdown' });

describe('judging', () => {
  it('reports the status that operators see', () => {
    const words = [stopped, starting, running, stopping, draining, exited].map(statusOf);
    expect(words.map(({ node, publicApi }) => `${node} ${publicApi}`)).to.deep.equal([
      'running stopped',
      'running starting',
      'running running',
      'running stopping',
      'shuttingDown stopped',
      'shuttingDown stopped',
    ]);
  });

  it('refuses with the reason of the outermost state, however it was reached', () => {
    const stoppedThenDown = carryOut(stopping, { type: 'shutdown' }, { id: 1, deadline: 0 });
    for (const state of [draining, stoppedThenDown, exited])
      expect(judge(state, { type: 'stop-api' })).to.deep.equal({ legal: false, reason: 'Node is shutting down' });
    expect(judge(exited, { type: 'set-worker' })).to.deep.equal({ legal: false, reason: 'Node is shutting down' });
  });

  it('refuses with reasons of their own during a step', () => {
    const saving = advance(running, { type: 'set-worker', workerId: 9 }).state;
    const recording = advance(starting, portDone('listen')).state;
    const reasons = [starting, recording, stopping, saving].map((state) => judge(state, { type: 'set-buckets' }));
    expect(reasons.map((one) => (one.legal ? 'legal' : one.reason))).to.deep.equal([
      'Still starting',
      'Still starting',
      'Still stopping',
      'A change is being saved',
    ]);
  });

  it('names the step that is under way, and none where the node is settled', () => {
    expect(onwardFrom(starting, null).type).to.equal('xstate.done.actor.listen');
    expect(() => onwardFrom(stopped, null)).to.throw('what leads onward');
  });

  it('rejects an unknown command', () => {
    expect(() => judge(stopped, { type: 'explode' as CommandName })).to.throw('explode');
  });

  it('allows during a step what will be legal if it succeeds', () => {
    expect(allowedCommands(starting)).to.deep.equal(allowedCommands(running)).and.to.include('stop-api');
    expect(allowedCommands(stopping)).to.deep.equal(allowedCommands(stopped)).and.to.include('start-api');
    expect(allowedCommands(advance(running, { type: 'shutdown' }).state)).to.deep.equal(['set-worker', 'set-buckets']);
    expect(allowedCommands(draining)).to.deep.equal(['set-worker', 'set-buckets']);
    expect(allowedCommands(exited)).to.deep.equal([]);
  });

  it('simulates without side effects', () => {
    const before = JSON.stringify(starting);
    expect(isSettled(settle(starting))).to.equal(true);
    expect(settle(running)).to.equal(running);
    expect(JSON.stringify(starting)).to.equal(before);
  });

  it('simulates a command from the state in which it would be judged, without sending it', () => {
    const stop = simulate(starting, { type: 'stop-api' });
    expect([stop.legal, statusOf(stop.before).publicApi]).to.deep.equal([true, 'running']);
    if (stop.legal) expect(statusOf(stop.after).publicApi).to.equal('stopped');
    const start = simulate(starting, { type: 'start-api' });
    expect(start).to.include({ legal: false, reason: 'Already starting', before: starting });
    const shutdown = simulate(starting, { type: 'shutdown' });
    expect(shutdown.before).to.equal(starting);
    if (shutdown.legal) expect(statusOf(shutdown.after)).to.deep.equal({ node: 'shuttingDown', publicApi: 'stopped' });
    expect(simulate(exited, { type: 'set-worker', workerId: 1 }).legal).to.equal(false);
  });

  it('lists the states that a command would pass through', () => {
    const { 'set-buckets': set, 'stop-api': stop, 'start-api': start } = previewCommands(running);
    const names = (steps: readonly (readonly string[])[]) => steps.map((ids) => ids.map((id) => id.split('.').at(-1)));
    expect(set.legal && names(set.through)).to.deep.equal([['saving'], ['applying'], ['settled', 'saved']]);
    expect(stop.legal && names(stop.through).flat()).to.include.members([
      'closing',
      'draining',
      'recording',
      'stopped',
    ]);
    expect(start).to.deep.equal({ legal: false, reason: 'Already started' });
  });

  it('gives settings the same result in a simulation as carried out', () => {
    const command = { type: 'set-worker', workerId: 9 } as const;
    const simulated = simulate(running, command);
    const done = carryOut(running, command);
    if (simulated.legal) expect(desiredOf(simulated.after)).to.deep.equal(desiredOf(done));
    expect(simulated.legal && simulated.after.context.record).to.deep.equal(done.context.record);
    expect(desiredOf(running).workerId).not.to.equal(9);
  });

  it('simulates through a lame duck', () => {
    const served = settle(advance(initialState(lameDuckInput('running')), { type: 'restore' }).state);
    const duck = advance(served, { type: 'stop-api' }).state;
    expect(statusOf(duck)).to.deep.equal({ node: 'running', publicApi: 'stopping' });
    expect(isSettled(duck)).to.equal(false);
    expect(statusOf(settle(duck)).publicApi).to.equal('stopped');
    expect(allowedCommands(duck)).to.deep.equal(allowedCommands(stopped));
    expect([isLameDuck(served), isLameDuck(duck), isLameDuck(settle(duck))]).to.deep.equal([false, true, false]);
    expect(previewCommands(duck)['stop-api']).to.deep.equal({ legal: false, reason: 'Already stopping' });
    expect(judge(settle(duck), { type: 'stop-api' })).to.deep.equal({ legal: false, reason: 'Already stopped' });
    const both = settle(advance(duck, { type: 'shutdown' }).state);
    expect(statusOf(both)).to.deep.equal({ node: 'shuttingDown', publicApi: 'stopped' });
  });

  it('previews where each command leads, and why it would be refused', () => {
    const { 'stop-api': stop, 'start-api': start, shutdown, ...settings } = previewCommands(stopped);
    expect(stop).to.deep.equal({ legal: false, reason: 'Already stopped' });
    expect(start.legal && start.leadsTo).to.include.members(['node.up.publicApi.running', 'node.up.node.running']);
    expect(shutdown.legal && shutdown.leadsTo).to.include('node.up.node.shuttingDown.answering');
    for (const one of Object.values(settings)) expect(one.legal && one.leadsTo).to.include('node.up.publicApi.stopped');
    expect(previewCommands(starting)).to.deep.equal({
      ...previewCommands(running),
      'start-api': { legal: false, reason: 'Already starting' },
    });
    expect(previewCommands(exited)['set-worker']).to.deep.equal({ legal: false, reason: 'Node is shutting down' });
  });

  it('reports target state and settings', () => {
    const again = initialState(recordedInput('running'));
    expect(settingsOf(again)).to.deep.equal({ workerId: 3, buckets: null });
    expect(desiredOf(again)).to.deep.equal({ workerId: 3, buckets: null, publicApi: 'running' });
  });
});
