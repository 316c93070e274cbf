// Answers are true: what a 200 says has happened is seen at the very next moment, on the network and on disk.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import type { CommandName } from '../../machines/commands.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Home, type RealNode } from '../support/harness.ts';
import { ask, connected, refuses, requestFor, restOf, Viewer } from '../support/viewer.ts';

const asset = '/api/v1/assets/1';
const large = '/api/v1/assets/2';

describe('Answers are true', () => {
  let home: Home;
  let node: RealNode;

  before(async () => {
    home = await Home.make({
      objects: { 1: 'one', 2: 16 * 1024 * 1024 },
      publicApi: { workers: 3, idleGraceMs: 50, drainTimeoutSec: 600 },
    });
    node = await home.start();
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  /** A 200, and what it says on disk. */
  async function done(name: CommandName, body?: object): Promise<void> {
    const { status, document } = await node.command(name, body);
    const kept = JSON.parse(await readFile(join(home.statePath, 'state.json'), 'utf8'));
    expect(status, name).to.equal(200);
    const { generation, settings, desired } = document as StateDocument;
    const own: Partial<Record<CommandName, object>> = {
      'set-worker': { workerId: settings.workerId },
      'set-buckets': { buckets: settings.buckets },
    };
    expect(kept).to.deep.include({ generation });
    expect(kept.changes).to.deep.include(own[name] ?? { publicApi: desired.publicApi });
  }

  it('stop-api, start-api, set-buckets and set-worker, on connections old and new', async () => {
    for (let round = 0; round < 3; round += 1) {
      await done('stop-api');
      expect(await refuses(node.port)).to.equal(true);
      await done('start-api');
      // More than there are workers, so that each has some.
      const viewers = Array.from({ length: 9 }, () => new Viewer(node.port));
      const statuses = async () => {
        const answers = await Promise.all([...viewers.map((one) => one.get(asset)), ask(node.port, asset)]);
        return [...new Set(answers.map(({ status }) => status))];
      };
      expect(await statuses()).to.deep.equal([200]);
      await done('set-buckets', { buckets: [`7:${round}`] });
      expect(await statuses()).to.deep.equal([421]);
      await done('set-buckets', {});
      expect(await statuses()).to.deep.equal([200]);
      await done('set-worker', { workerId: 5 + round });
      expect(await statuses()).to.deep.equal([421]);
      await done('set-worker', { workerId: 0 });
      expect(await statuses()).to.deep.equal([200]);
      for (const viewer of viewers) viewer.leave();
    }
  });

  it('shutdown: the port refuses, what is under way goes on, and the operator is answered until it has ended', async () => {
    const slow = await connected(node.port, requestFor(large));
    await once(slow, 'readable');
    expect((await node.command('shutdown')).status).to.equal(200);
    expect(await refuses(node.port)).to.equal(true);
    const { node: word, drain, desired } = await node.state();
    expect([word, drain?.connections, desired.publicApi]).to.deep.equal(['shuttingDown', 1, 'running']);
    // A shutdown changes no desired state; settings made during it apply from the next start.
    await done('set-worker', { workerId: 9 });
    expect((await restOf(slow)).length).to.be.greaterThan(16 * 1024 * 1024);
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    node = await home.start();
    expect(await node.state()).to.deep.include({ publicApi: 'running', settings: { workerId: 9, buckets: null } });
  });
});
