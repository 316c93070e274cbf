// How a node starts, what keeps it from starting, and how signals end it: as real processes.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { messageOf } from '../src/base/errors.ts';
import { run } from './cli/run.ts';
import { freePort } from './support/free-port.ts';
import { Home, type RealNode, type StartOptions } from './support/harness.ts';
import { until } from './support/until.ts';
import { ask, connected, refuses, requestFor } from './support/viewer.ts';

describe('a node behind a balancer', () => {
  let home: Home;
  let node: RealNode;
  before(async () => {
    home = await Home.make({ objects: { 1: 'one' }, publicApi: { lameDuckSec: 3600 } });
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
    const { lameDuck, ...state } = await node.state();
    expect(state).to.deep.include({ node: 'shuttingDown', publicApi: 'stopping' });
    expect(lameDuck).to.have.property('until').that.matches(/Z$/);
    // A server process that dies during it is replaced by another lame duck.
    const [pid = 0] = await node.workerPids();
    process.kill(pid, 'SIGKILL');
    await until(async () => (await node.state()).workers.some((one) => one.pid !== pid && one.state === 'serving'));
    await until(async () => !(await refuses(node.port)));
    expect((await ask(node.port, '/readyz')).status).to.equal(503);
    node.signal('SIGINT');
    expect(await node.exited).to.deep.equal({ code: 130, signal: null });
  });
});

describe('a node with a large catalogue', () => {
  let home: Home;
  let node: RealNode;
  beforeEach(async () => {
    home = await Home.make({ publicApi: { workers: 2 } });
    await writeFile(join(home.path, 'one'), 'one');
    const objects = Array.from({ length: 20_000 }, (_, id) => ({ id: `${id}`, file: 'one', buckets: ['1:0'] }));
    const catalogue = { objects, workers: [{ id: 0, buckets: ['1:0'] }] };
    await writeFile(join(home.path, 'catalogue.yml'), JSON.stringify(catalogue));
    node = home.launch();
  });
  afterEach(async () => {
    await node.end();
    await home.remove();
  });

  it('knows all of it when the first viewer is let in', async () => {
    await until(async () => !(await refuses(home.port)));
    expect((await ask(home.port, '/api/v1/assets/19999')).status).to.equal(200);
  });
});

describe('a node whose catalogue lies on a disk that hangs', () => {
  let home: Home;
  let node: RealNode;
  before(async () => {
    home = await Home.make({
      objects: { 1: 'one' },
      operatorApi: { port: await freePort() },
      more: { content: { timeoutMs: 3000 } },
    });
    const [hang, pipe] = [join(home.path, 'hang.mjs'), join(home.path, 'pipe')];
    // Opening a pipe without a writer blocks in the kernel.
    execFileSync('mkfifo', [pipe]);
    await writeFile(
      hang,
      `import { readFileSync } from 'node:fs';
       if (process.argv[1]?.endsWith('content-main.js')) readFileSync(${JSON.stringify(pipe)});`,
    );
  });
  afterEach(() => node.end());
  after(() => home.remove());

  async function launch(): Promise<void> {
    const { operatorApi } = JSON.parse(await readFile(join(home.path, 'config.yml'), 'utf8'));
    node = home.launch({ nodeOptions: `--import ${join(home.path, 'hang.mjs')}` });
    const isUp = async () => (await fetch(`http://127.0.0.1:${operatorApi.port}/livez`).catch(() => null))?.ok === true;
    await until(isUp);
  }

  it('answers the operator, and comes to its end without it', async () => {
    await launch();
    node.signal('SIGTERM');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    expect(await readdir(home.statePath)).not.to.include('run.json');
  });

  it('ends at a second signal, too', async () => {
    await launch();
    node.signal('SIGTERM');
    await until(() => node.log.includes('SIGTERM: shutting down'));
    node.signal('SIGINT');
    const { code, signal } = await node.exited;
    // The first may have come to its end already.
    expect([0, 130]).to.include(code);
    expect(signal).to.equal(null);
    expect(await readdir(home.statePath)).not.to.include('run.json');
  });

  it('serves what it knew before, and says what is wrong', async () => {
    node = await home.start({ env: { DISTRIBUTOR__CONTENT__TIMEOUT_MS: '60000' } });
    await node.end();
    await launch();
    await node.up;
    expect((await ask(node.port, '/api/v1/assets/1')).status).to.equal(200);
    expect((await ask(node.port, '/readyz')).status).to.equal(200);
    await until(async () => (await node.state()).conditions.some(({ type }) => type === 'ContentCrashed'));
    expect((await node.command('stop-api')).status).to.equal(200);
    expect((await node.command('start-api')).status).to.equal(200);
    expect((await ask(node.port, '/api/v1/assets/1')).status).to.equal(200);
  });
});

describe('start', () => {
  const asset = (id: number) => `/api/v1/assets/${id}`;
  let home: Home;
  let node: RealNode;

  before(async () => {
    home = await Home.make({
      objects: { 1: 'one', 2: 16 * 1024 * 1024 },
      publicApi: { startRetryMs: 50, drainTimeoutSec: 600 },
    });
  });
  afterEach(() => node.end());
  after(() => home.remove());

  const start = async (options?: StartOptions): Promise<RealNode> => {
    node = await home.start(options);
    return node;
  };
  const conditions = async () => (await node.state()).conditions.map(({ type }) => type);

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
    const taken = 'the port is in use: stop the other process, or set operatorApi.port';
    expect(portless.words).to.deep.equal([`The operator API cannot listen on ${host}: ${taken}`]);
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
    await until(() => node.printed.includes('generation'));
    expect(node.printed).to.contain(`(generation 1): publicApi "running", buckets ["1:0"].`);
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
    await start({ env: { npm_lifecycle_event: 'start' } });
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

  it('asks the squid in the config of a Joystream node, and says that it cannot be reached', async () => {
    const env = {
      DISTRIBUTOR__CATALOGUE: 'off',
      DISTRIBUTOR__WORKER_ID: 'off',
      JOYSTREAM_DISTRIBUTOR__ENDPOINTS__STORAGE_SQUID: `http://user:hush@localhost:${await freePort()}/graphql`,
      JOYSTREAM_DISTRIBUTOR__LIMITS__STORAGE: '1M',
      NODE_ENV: 'staging',
    };
    await start({ env });
    await until(async () => (await conditions()).includes('SquidUnreachable'));
    // The index of the catalogue that this node had before is set aside.
    expect(await conditions()).to.include.members(['IndexRebuilt', 'DirectoryNotRead']);
    expect(JSON.stringify(await node.state())).not.to.contain('hush');
    expect((await ask(node.port, asset(1))).status).to.equal(503);
    expect((await ask(node.port, '/readyz')).status).to.equal(503);
    const status = JSON.parse((await ask(node.port, '/api/v1/status')).body.toString());
    expect(status).to.deep.include({ storageLimit: 1_048_576, nodeEnv: 'staging' });
    expect(status.queryNodeStatus.url).to.match(/^http:\/\/localhost:\d+\/graphql$/);
    expect(status).not.to.have.property('workerId');
  });

  it("says on which ports it listens, in the words that the peer's tools wait for, and where its state is", async () => {
    const plain = await Home.make();
    node = await plain.start({ env: { container: 'podman' } });
    await until(() => node.printed.includes('State'));
    await until(() => /listens on 127\.0\.0\.1 inside a container/.test(node.log));
    expect(node.printed.split('\n').slice(1)).to.deep.equal([
      `Public API listening on port ${plain.port}`,
      `Operator API listening on port ${new URL(node.operatorUrl).port}`,
      `State directory: ${plain.statePath}`,
      '',
    ]);
    await node.command('stop-api');
    await node.end();
    node = await plain.start();
    await until(() => node.printed.includes('State'));
    expect(node.printed).not.to.contain('Public API listening');
    await node.end();
    await plain.remove();
  });

  it('ends with 0 at a signal while it still waits for its port, and never says that it is up', async () => {
    const waiting = await Home.make({ publicApi: { startRetryMs: 600_000 } });
    const blocker = createServer().listen({ host: '127.0.0.1', port: waiting.port });
    await once(blocker, 'listening');
    try {
      node = waiting.launch();
      await until(() => existsSync(join(waiting.statePath, 'run.json')));
      node.signal('SIGTERM');
      expect(await node.exited).to.deep.equal({ code: 0, signal: null });
      expect(node.printed).to.equal('');
      expect(await readdir(waiting.statePath)).not.to.include('run.json');
    } finally {
      blocker.close();
      await waiting.remove();
    }
  });

  it('makes no secret in a file that the config names: a misspelt path must not bring another one', async () => {
    const other = await Home.make({ operatorApi: { hmacSecret: null, hmacSecretFile: './missing' } });
    node = other.launch();
    const end = await node.up.catch(messageOf);
    await node.end();
    await other.remove();
    expect(end).to.contain('The node ended with 40: ');
    expect(end).to.contain(`cannot be read from ${join(other.path, 'missing')}: there is no such file`);
  });
});
