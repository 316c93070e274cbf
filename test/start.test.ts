// A whole node behind a balancer, as real processes.
import { expect } from 'chai';
import { Home, type RealNode } from './support/real-node.ts';
import { until } from './support/until.ts';
import { ask, refuses } from './support/viewer.ts';

describe('a node behind a balancer', () => {
  let home: Home;
  let node: RealNode;
  before(async () => {
    home = await Home.make({ objects: { 1: 'one' }, publicApi: { lameDuckSec: 3600, workers: 1 } });
    node = await home.start();
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  const health = async (path: string) => {
    const { status, body } = await fetch(`${node.operatorUrl}${path}`).then(async (response) => ({
      status: response.status,
      body: await response.text(),
    }));
    return `${status} ${body.trim()}`;
  };

  it('is a lame duck at a shutdown: not ready, and serving; a second signal ends it at once', async () => {
    expect([await health('/livez'), await health('/startupz'), await health('/readyz')]).to.deep.equal(
      Array.from({ length: 3 }, () => '200 ok'),
    );
    expect((await ask(node.port, '/readyz')).status).to.equal(200);
    node.signal('SIGTERM');
    await until(async () => (await ask(node.port, '/readyz')).status === 503);
    expect((await ask(node.port, '/api/v1/assets/1')).body.toString()).to.equal('one');
    expect(await health('/readyz')).to.equal('503 the node is shutting down');
    expect(await health('/livez')).to.equal('200 ok');
    expect(await node.state()).to.deep.include({ node: 'shuttingDown', publicApi: 'stopping' });
    // One that dies meanwhile is replaced by another lame duck.
    const [pid = 0] = await node.workerPids();
    process.kill(pid, 'SIGKILL');
    await until(async () => (await node.state()).workers.some((one) => one.pid !== pid && one.state === 'serving'));
    await until(async () => !(await refuses(node.port)));
    expect((await ask(node.port, '/readyz')).status).to.equal(503);
    node.signal('SIGTERM');
    expect(await node.exited).to.deep.equal({ code: 143, signal: null });
  });
});
