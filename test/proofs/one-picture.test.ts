// The picture is the machine, and it explains itself: what a running node reports of its steps and refusals, held against both.
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type CommandName, commandNames } from '../../machines/commands.ts';
import { elementId } from '../../machines/diagram/diagram.ts';
import { packageRoot } from '../../src/base/version.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import { EventSource } from '../support/event-source.ts';
import { accessToken, Home, type RealNode } from '../support/harness.ts';

const idsIn = (file: string): Set<string> =>
  new Set(
    [
      ...readFileSync(`${packageRoot}${file}`, 'utf8')
        .replaceAll('&#45;', '-')
        .matchAll(/ id="([^"]+)"/g),
    ].map(([, id = '']) => id),
  );

describe('a real node', () => {
  let home: Home;
  let node: RealNode;

  before(async () => {
    home = await Home.make({ objects: { 1: 50_000_000 }, publicApi: { drainTimeoutSec: 10 } });
    node = await home.start();
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  it('The picture is the machine: every state it is in and every edge it takes is drawn', async () => {
    const source = await EventSource.open(node.operatorUrl, { Authorization: `Bearer ${await accessToken()}` });
    const full = idsIn('machines/node-full.svg');
    const outline = idsIn('src/console/machine.svg');
    await node.command('stop-api');
    await node.command('start-api');
    await node.command('set-worker', { workerId: 0 });
    await source.find('transition', ({ active }) => (active as string[]).includes('node.up.record.applying'));
    const steps = source.named('transition').map(({ data }) => data as { active: string[]; taken: string[] });
    expect(steps.length).to.be.greaterThan(5);
    for (const { active, taken } of steps) {
      // The machine as a whole is the drawing itself.
      for (const id of active.filter((one) => one !== 'node')) expect(full, id).to.include(elementId(id));
      for (const id of taken) expect(full.has(elementId(id)) || outline.has(elementId(id)), id).to.equal(true);
    }
    source.close();
  });

  const refusedNow = async (): Promise<StateDocument> => {
    const state = await node.state();
    const refused = commandNames.filter((name) => !state.allowed.includes(name));
    expect(refused).not.to.be.empty;
    for (const name of refused) {
      const { status, document } = await node.command(name, bodies[name]);
      expect(status, name).to.equal(409);
      expect(document).to.deep.include({ allowed: state.allowed });
      expect(document).to.deep.include({ state: { node: state.node, publicApi: state.publicApi } });
      expect((document as { detail: string }).detail).to.match(/^[A-Z].+/);
    }
    return state;
  };
  const bodies: Partial<Record<CommandName, object>> = { 'set-worker': { workerId: 0 } };

  it('It explains itself: every refusal says what state the node is in and which commands are legal now', async () => {
    expect((await refusedNow()).publicApi).to.equal('running');
    await node.command('stop-api');
    expect((await refusedNow()).publicApi).to.equal('stopped');
    await node.command('start-api');
    const slow = await fetch(`http://127.0.0.1:${home.port}/api/v1/assets/1`);
    await node.command('shutdown');
    expect((await refusedNow()).node).to.equal('shuttingDown');
    await slow.body?.cancel();
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });
});
