// How a node starts, what keeps it from starting, and how signals end it: as real processes.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { run } from './cli/run.ts';
import { Home, type RealNode, type StartOptions } from './support/real-node.ts';
import { until } from './support/until.ts';
import { ask, connected, refuses, requestFor } from './support/viewer.ts';

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
    node.signal('SIGINT');
    expect(await node.exited).to.deep.equal({ code: 130, signal: null });
  });
});

describe('start', function () {
  this.timeout(30_000);
  const asset = (id: number) => `/api/v1/assets/${id}`;
  let home: Home;
  let node: RealNode;

  before(async () => {
    home = await Home.make({
      objects: { 1: 'one', 2: 16 * 1024 * 1024 },
      publicApi: { workers: 1, startRetryMs: 50, drainTimeoutSec: 600 },
    });
  });
  afterEach(() => node.end());
  after(() => home.remove());

  const start = async (options?: StartOptions): Promise<RealNode> => {
    node = await home.start(options);
    return node;
  };
  const conditions = async () => (await node.state()).conditions.map(({ type }) => type);
  const statePath = () => join(home.statePath, 'state.json');

  /** What it says for people, and how it ends. */
  async function refusal(at: Home, env: NodeJS.ProcessEnv = {}) {
    const { code, stdout, stderr } = await run(['start', '-c', join(at.path, 'config.yml')], { cwd: at.path, env });
    return { code, stdout, words: stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{')) };
  }

  it('is up without its public port, says so, and serves once it can; others keep off what it holds', async () => {
    const blocker = createServer().listen({ host: '127.0.0.1', port: home.port });
    await once(blocker, 'listening');
    await start();
    expect(await node.up).to.match(/^test-node \S+: public API stopped on http:\S+, operator API on http:\S+$/);
    expect(await node.state()).to.deep.include({ node: 'running', publicApi: 'stopped' });
    expect((await node.state()).desired.publicApi).to.equal('running');
    expect(await conditions()).to.include('PublicApiNotListening');
    expect(node.log).to.contain(`Port ${home.port} on 127.0.0.1 is already in use (EADDRINUSE)`);

    const other = await Home.make({ operatorApi: { port: Number(new URL(node.operatorUrl).port) } });
    const [second, portless] = await Promise.all([refusal(home), refusal(other)]);
    expect([second.code, second.stdout, second.words.length]).to.deep.equal([40, '', 1]);
    expect(second.words[0]).to.contain(`is in use by another node (process ${node.pid})`);
    expect([portless.code, portless.stdout]).to.deep.equal([1, '']);
    const { host } = new URL(node.operatorUrl);
    expect(portless.words).to.deep.equal([`The operator API cannot listen on ${host}: the port is taken`]);
    expect(await refuses(other.port)).to.equal(true);
    await other.remove();

    await new Promise((resolve) => blocker.close(resolve));
    expect((await node.command('start-api')).status).to.equal(200);
    expect(await conditions()).not.to.include('PublicApiNotListening');
    expect((await ask(node.port, asset(1))).body.toString()).to.equal('one');
    expect((await node.command('set-buckets', { buckets: ['1:0'] })).status).to.equal(200);
    node.signal('SIGINT');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('says what goes before the config, whatever NODE_ENV is; a second signal ends it at once', async () => {
    await start({ env: { NODE_ENV: 'development' } });
    await until(() => node.out.split('\n').length > 2);
    expect(node.out).to.contain(`(${statePath()}, generation 1): publicApi "running", buckets ["1:0"].`);
    const { desired, settings } = await node.state();
    expect(desired.overridden).to.deep.equal(['publicApi', 'buckets']);
    expect(settings).to.deep.equal({ workerId: 0, buckets: ['1:0'] });
    const slow = await connected(node.port, requestFor(asset(2)));
    await once(slow, 'readable');
    node.signal('SIGTERM');
    await until(() => refuses(node.port));
    expect((await node.state()).node).to.equal('shuttingDown');
    node.signal('SIGINT');
    expect(await node.exited).to.deep.equal({ code: 130, signal: null });
    slow.destroy();
  });

  it('is ended in good order by a signal that npm hands on to it as well, and at once by a later one', async () => {
    await start();
    const slow = await connected(node.port, requestFor(asset(2)));
    await once(slow, 'readable');
    node.signal('SIGINT');
    await until(() => node.log.includes('SIGINT: shutting down'));
    node.signal('SIGINT');
    await until(() => refuses(node.port));
    expect((await node.state()).node).to.equal('shuttingDown');
    const insisting = setInterval(() => node.signal('SIGINT'), 50);
    expect(await node.exited).to.deep.equal({ code: 130, signal: null });
    clearInterval(insisting);
    slow.destroy();
  });

  it('is ended in good order by a signal before it is up, too, and tells of no crash afterwards', async () => {
    const blocker = createServer().listen({ host: '127.0.0.1', port: 0 });
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const slow = await Home.make({ publicApi: { port, startRetryMs: 600_000 } });
    node = slow.launch();
    await until(() => existsSync(join(slow.statePath, 'run.json')));
    node.signal('SIGTERM');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    expect(node.out).to.equal('');
    expect(await readdir(slow.statePath)).not.to.include('run.json');
    blocker.close();
    await slow.remove();
  });

  it('does not guess what a state file says that it cannot read, and touches none of a newer version', async () => {
    await writeFile(statePath(), '{"format": 1, "gen');
    await start();
    expect(await conditions()).to.include('StateFileCorrupt');
    expect(await node.state()).to.deep.include({ publicApi: 'stopped', settings: { workerId: 0, buckets: null } });
    expect((await readdir(home.statePath)).filter((name) => name.startsWith('state.json.corrupt-'))).to.have.lengthOf(
      1,
    );
    node.signal('SIGTERM');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });

    const newer = '{"format": 99}';
    await writeFile(statePath(), newer);
    const { code, stdout, words } = await refusal(home);
    expect([code, stdout, words.length]).to.deep.equal([40, '', 1]);
    expect(words[0]).to.contain('is of a newer version (format 99');
    expect(await readFile(statePath(), 'utf8')).to.equal(newer);
  });
});
