// Workers that die, hang, or never come up; and a control process that dies before them.
import { type ChildProcess, fork } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { PublicSide, PublicSideEvent } from '../../src/supervisor/public-side.ts';
import type { SupervisorOptions } from '../../src/supervisor/supervisor.ts';
import { Folder } from '../support/folder.ts';
import { freePort } from '../support/free-port.ts';
import { isAlive } from '../support/is-alive.ts';
import { testLimits } from '../support/public-side-twin.ts';
import { testWorkers } from '../support/server-processes.ts';
import { TestStore } from '../support/test-store.ts';
import { until } from '../support/until.ts';
import { ask, closed, connected, refuses, requestFor, restOf, Viewer } from '../support/viewer.ts';
import { withJumpingClock } from '../support/wall-clock.ts';
import { failToWrite, writingBy } from '../support/writing-by.ts';

const size = 16 * 1024 * 1024;
const setup = { id: 'test', version: '0.0.0', limits: testLimits };

describe('the supervisor', () => {
  let folder: Folder;
  let store: TestStore;
  let side: PublicSide;
  let count: number;

  beforeEach(async () => {
    folder = await Folder.make();
    store = await TestStore.open(folder.path);
  });

  afterEach(async () => {
    await side.end();
    await store.close();
    await folder.remove();
  });

  async function prepared(options: Partial<SupervisorOptions> = {}): Promise<void> {
    count = options.count ?? 2;
    side = testWorkers({
      setup: { ...setup, ...store.setup },
      workerTimeoutMs: 30_000,
      drainTimeoutMs: 60_000,
      heartbeatMs: 50,
      backoffMs: 10,
      ...options,
    });
    side.start();
    await side.configure({ workerId: 0, buckets: null });
    const objects = [await folder.object('1', 'one'), await folder.object('2', size)];
    store.publish(...objects);
  }

  async function serving(options: Partial<SupervisorOptions> = {}): Promise<number> {
    await prepared(options);
    await side.listen({ patienceMs: 0 });
    await allServe();
    return side.port ?? 0;
  }

  const allServe = () =>
    until(() => side.workers.length === count && side.workers.every(({ state }) => state === 'serving'));
  const pids = () => side.workers.map(({ pid }) => pid);
  const conditionOf = (type: string) => side.conditions.find((one) => one.type === type);
  const statusOf = async (port: number, id = '1') => (await ask(port, `/api/v1/assets/${id}`)).status;

  it('gives a process that is being set up the index that takes the place of another', async () => {
    const entry = join(folder.path, 'server.mjs');
    await writeFile(
      entry,
      `let reply = () => {};
process.on('SIGUSR2', () => reply());
process.on('message', ({ seq, type, id }) => {
  const confirm = () => process.send({ type: 'confirmed', seq });
  if (type === 'leave') process.exit(0);
  if (type !== 'index') return confirm();
  reply = confirm;
  console.log('reads index', id);
});
process.send({ type: 'hello' });`,
    );
    const lines: unknown[] = [];
    const log = { info() {}, warn: (facts: { line?: unknown }) => void lines.push(facts.line) };
    side = testWorkers({
      ...{ setup: { ...setup, ...store.setup }, workerTimeoutMs: 30_000, drainTimeoutMs: 60_000 },
      ...{ count: 1, heartbeatMs: 60_000, entry, log },
    });
    side.useIndex('one');
    side.start();
    await until(() => lines.includes('reads index one'));
    side.useIndex('two');
    process.kill(pids()[0] ?? 0, 'SIGUSR2');
    await until(() => lines.includes('reads index two'));
    process.kill(pids()[0] ?? 0, 'SIGUSR2');
    await until(() => side.workers[0]?.state === 'idle');
  });

  it('replaces a killed server process while the others keep serving', async () => {
    const port = await serving();
    const [victim = 0, other] = pids();
    process.kill(victim, 'SIGKILL');
    await until(() => conditionOf('WorkerCrashed') !== undefined);
    expect(await statusOf(port)).to.equal(200);
    await allServe();
    expect(side.workers.length).to.equal(2);
    expect(pids()).to.include(other).and.not.include(victim);
    const { reason, message, since } = conditionOf('WorkerCrashed') ?? {};
    expect(reason).to.equal('SIGKILL');
    expect(message).to.match(
      new RegExp(`^Server process ${victim} was ended by SIGKILL at .*Server processes died once since`),
    );
    expect(since).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(conditionOf('NoWorkerServing')).to.equal(undefined);
  });

  it('skips the backoff when the port is to be opened', async () => {
    await prepared({ count: 1, backoffMs: 600_000, maxBackoffMs: 600_000 });
    await until(() => side.workers[0]?.state === 'idle');
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => side.workers.length === 0);
    await side.listen({ patienceMs: 0 });
    await allServe();
  });

  it('clears the condition of a crash after calmMs', async () => {
    await serving({ calmMs: 200 });
    let wasSaid = false;
    side.subscribe(() => {
      wasSaid ||= conditionOf('WorkerCrashed') !== undefined;
    });
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => wasSaid);
    await until(() => side.conditions.length === 0);
  });

  it('gives a later server process the current settings and directory', async () => {
    const port = await serving({ count: 1 });
    await side.configure({ workerId: null, buckets: ['7:7'] });
    store.put(await folder.object('9', 'nine', { buckets: ['7:7'] }));
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => conditionOf('WorkerCrashed') !== undefined);
    await allServe();
    expect([await statusOf(port, '1'), await statusOf(port, '9')]).to.deep.equal([421, 200]);
    expect(side.port).to.equal(port);
  });

  it('gives replacements the new settings that could not be sent to their predecessors', async () => {
    const port = await serving();
    const before = pids();
    const settings = { workerId: 0, buckets: ['7:7'] };
    let failure: Promise<unknown> = Promise.resolve();
    writingBy(failToWrite, () => {
      failure = side.configure(settings).catch((error: Error) => error.message);
    });
    expect(await failure).to.match(/^The settings could not be sent to the server processes: ENOSPC/);
    side.kill();
    await until(() => pids().every((pid) => !before.includes(pid)));
    expect(conditionOf('NoWorkerServing')?.message).to.contain('was killed and is replaced');
    await allServe();
    expect(conditionOf('NoWorkerServing')).to.equal(undefined);
    expect(await statusOf(port)).to.equal(421);
  });

  it('reports that no server process serves, refuses connections, and serves again on the same port', async () => {
    const port = await serving({ backoffMs: 2000 });
    for (const pid of pids()) process.kill(pid, 'SIGKILL');
    await until(() => conditionOf('NoWorkerServing') !== undefined);
    expect(conditionOf('NoWorkerServing')?.message).to.contain('was ended by SIGKILL');
    expect(await refuses(port)).to.equal(true);
    expect(side.port).to.equal(port);
    await allServe();
    expect(conditionOf('NoWorkerServing')).to.equal(undefined);
    expect(await statusOf(port)).to.equal(200);
  });

  it('detects a stopped server process by its heartbeat, and replaces it', async () => {
    const port = await serving({ count: 1, workerTimeoutMs: 1000 });
    const [stopped = 0] = pids();
    process.kill(stopped, 'SIGSTOP');
    await until(() => conditionOf('WorkerCrashed') !== undefined);
    expect(conditionOf('WorkerCrashed')?.reason).to.equal('Unresponsive');
    expect(conditionOf('WorkerCrashed')?.message).to.contain('did not answer "ping" within 1000 ms and was killed');
    await allServe();
    expect(await statusOf(port)).to.equal(200);
    expect(await isAlive(stopped)).to.equal(false);
  });

  it('closes the port although a stopped server process holds it', async () => {
    const port = await serving({ heartbeatMs: 60_000, workerTimeoutMs: 1000 });
    const [stopped = 0] = pids();
    process.kill(stopped, 'SIGSTOP');
    await side.close();
    expect(await refuses(port)).to.equal(true);
    expect(await isAlive(stopped)).to.equal(false);
    expect(conditionOf('WorkerCrashed')?.message).to.contain('did not answer "close" within 1000 ms and was killed');
    expect(pids()).to.not.include(stopped);
    await side.listen({ patienceMs: 0 });
    expect(await statusOf(port)).to.equal(200);
  });

  it('opens the port although a server process is stopped', async () => {
    await prepared({ heartbeatMs: 60_000, workerTimeoutMs: 1000 });
    await until(() => side.workers.every(({ state }) => state === 'idle'));
    for (const pid of pids()) process.kill(pid, 'SIGSTOP');
    await side.listen({ patienceMs: 0 });
    await allServe();
    expect(await statusOf(side.port ?? 0)).to.equal(200);
    await side.close();
    expect(await refuses(side.port ?? 0)).to.equal(true);
  });

  it('applies settings although a server process is stopped', async () => {
    const port = await serving({ heartbeatMs: 60_000, workerTimeoutMs: 1000 });
    process.kill(pids()[0] ?? 0, 'SIGSTOP');
    await side.configure({ workerId: 0, buckets: ['7:7'] });
    expect(await statusOf(port)).to.equal(421);
  });

  it('ends a drain when the server process that had its connections dies', async () => {
    const port = await serving({ count: 1 });
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    const ended = new Promise((resolve) => {
      side.subscribe((event) => event.type === 'drain.ended' && resolve(event));
    });
    const { drain } = await side.close();
    expect(side.workers.map(({ state }) => state)).to.deep.equal(['draining']);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    expect(await ended).to.deep.equal({ type: 'drain.ended', id: drain?.id, cut: 1 });
    expect(side.drain).to.equal(null);
    await closed(download);
  });

  it('ends a drain when one server process dies before another has confirmed', async () => {
    const port = await serving({ heartbeatMs: 60_000, workerTimeoutMs: 3000 });
    const [lone = 0, stopped = 0] = pids();
    process.kill(stopped, 'SIGSTOP');
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    const closing = side.close();
    await until(() => side.workers.find(({ pid }) => pid === lone)?.state === 'idle');
    process.kill(lone, 'SIGKILL');
    expect(await closing).to.deep.equal({ drain: null });
    expect(await refuses(port)).to.equal(true);
    expect(side.drain).to.equal(null);
    await closed(download);
  });

  it('lets a replacement serve although the first possible lender of the port hangs', async () => {
    await serving({ count: 3, heartbeatMs: 60_000 });
    const [stopped = 0, , victim = 0] = pids();
    process.kill(stopped, 'SIGSTOP');
    process.kill(victim, 'SIGKILL');
    await until(() => conditionOf('WorkerCrashed') !== undefined);
    await allServe();
    expect(pids()).to.include(stopped).and.not.include(victim);
    process.kill(stopped, 'SIGCONT');
  });

  it('enforces one connection limit over all server processes', async () => {
    const limits = { ...testLimits, keepAliveTimeoutMs: 60_000, maxConnections: 100 };
    const port = await serving({ setup: { ...setup, ...store.setup, limits }, heartbeatMs: 60_000 });
    const [first = 0, second = 0] = pids();
    const viewers: Viewer[] = [];
    const come = async (count: number) => {
      const more = Array.from({ length: count }, () => new Viewer(port));
      viewers.push(...more);
      const answers = await Promise.all(more.map((viewer) => viewer.get('/api/v1/assets/1').catch(() => null)));
      return answers.filter((answer) => answer?.status === 200).length;
    };
    // One that is stopped accepts nothing: all come to the other.
    process.kill(second, 'SIGSTOP');
    expect(await come(60)).to.equal(60);
    process.kill(second, 'SIGCONT');
    expect(await come(40)).to.equal(40);
    for (const hand of [first, second, 0]) {
      if (hand !== 0) process.kill(hand, 'SIGSTOP');
      expect(await come(10)).to.equal(0);
      if (hand !== 0) process.kill(hand, 'SIGCONT');
    }
    for (const viewer of viewers) viewer.leave();
    await until(async () => (await come(1)) === 1);
    await until(async () => (await come(100)) === 0);
    // What a worker held that has died is free again.
    process.kill(first, 'SIGKILL');
    await until(() => conditionOf('WorkerCrashed') !== undefined);
    await until(async () => (await come(1)) === 1);
    for (const viewer of viewers) viewer.leave();
  });

  it('keeps metrics of server processes that have died', async () => {
    const port = await serving({ count: 1 });
    await statusOf(port);
    // A heartbeat may come between the head of an answer and its end.
    const answered = (count: number) =>
      side.activity.requests === count &&
      side.activity.bytesSent === 3 * count &&
      side.serverMetrics.counts.answers['hit 200'] === count;
    await until(() => answered(1));
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => conditionOf('WorkerCrashed') !== undefined);
    await allServe();
    await statusOf(port);
    await until(() => answered(2));
    expect(side.losses).to.deep.equal({ SIGKILL: 1 });
    expect(side.serverMetrics.residentBytes).to.be.greaterThan(1e6);
    expect(side.serverMetrics.counts.cpuSec).to.be.greaterThan(0);
  });

  it('reports a crash loop with the last error, and backs off', async () => {
    const entry = join(folder.path, 'broken.cjs');
    await writeFile(entry, 'throw new TypeError("no disk in drive A");');
    await prepared({ entry, count: 1, maxBackoffMs: 1000 });
    await until(() => conditionOf('WorkerCrashLoop') !== undefined);
    const { reason, message } = conditionOf('WorkerCrashLoop') ?? {};
    expect(reason).to.equal('ExitCode1');
    expect(message).to.match(
      /^A server process died \d+ times in a row; .*exit code 1: TypeError: no disk in drive A\./,
    );
    const failure = await side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    expect(failure).to.match(/^No server process could be started: the last one ended with exit code 1: TypeError/);
  });

  it('reports why the port cannot be opened when all server processes die, and respects the backoff', async () => {
    const entry = join(folder.path, 'broken.cjs');
    await writeFile(entry, 'throw new TypeError("no disk in drive A");');
    await prepared({ entry, backoffMs: 60_000, maxBackoffMs: 60_000 });
    const failure = await side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    expect(failure).to.match(/^No server process could be started: the last one ended with exit code 1: TypeError/);
    expect(conditionOf('WorkerCrashed')?.message).to.match(/Server processes died [234] times since/);
  });

  it('reports a crash loop beside a server process that has recovered from a longer one', async () => {
    await serving({ maxBackoffMs: 20, steadyMs: 3000 });
    const diesInARow = async (victim: number, times: number): Promise<void> => {
      const others = pids().filter((pid) => pid !== victim);
      for (let pid = victim, left = times; left > 0; left -= 1) {
        const died = pid;
        process.kill(died, 'SIGKILL');
        await until(() => {
          pid = pids().find((one) => one !== died && !others.includes(one)) ?? 0;
          return pid !== 0;
        });
      }
    };
    const [first = 0, second = 0] = pids();
    await diesInARow(first, 6);
    expect(conditionOf('WorkerCrashLoop')?.message).to.contain('died 6 times in a row');
    await until(() => conditionOf('WorkerCrashLoop') === undefined);
    await diesInARow(second, 5);
    expect(conditionOf('WorkerCrashLoop')?.message).to.contain('died 5 times in a row');
  });

  it('measures streaks and backoff with a monotonic clock', () =>
    withJumpingClock(3_600_000, async () => {
      const patient = { workerTimeoutMs: 10_000, heartbeatMs: 60_000 };
      await serving({ count: 1, steadyMs: 600_000, calmMs: 600_000, maxBackoffMs: 10, ...patient });
      for (let deaths = 0; deaths < 4; deaths += 1) {
        const [victim = 0] = pids();
        process.kill(victim, 'SIGKILL');
        await until(() => side.workers.some(({ pid, state }) => pid !== victim && state === 'serving'));
      }
      expect(conditionOf('WorkerCrashed')?.message).to.contain('Server processes died 4 times since');
      expect(conditionOf('WorkerCrashLoop')?.message).to.contain('died 4 times in a row');
    }));

  it('survives that no process can be started', async () => {
    const { execPath } = process;
    process.execPath = '/nonexistent/node';
    try {
      await prepared({ count: 1 });
      await until(() => conditionOf('WorkerCrashed')?.reason === 'SpawnFailed');
    } finally {
      process.execPath = execPath;
    }
    await side.listen({ patienceMs: 0 });
    expect(await statusOf(side.port ?? 0)).to.equal(200);
  });

  it('cuts a drain although its server process is stopped', async () => {
    const port = await serving({ count: 1, heartbeatMs: 60_000, workerTimeoutMs: 1000 });
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    const ended = new Promise((resolve) => {
      side.subscribe((event) => event.type === 'drain.ended' && resolve(event));
    });
    const { drain } = await side.close();
    process.kill(pids()[0] ?? 0, 'SIGSTOP');
    side.cut(drain?.id ?? -1);
    expect(await ended).to.deep.equal({ type: 'drain.ended', id: drain?.id, cut: 1 });
    await closed(download);
  });

  /** A worker that only says what it should have done; `onListen` may say or do something else. */
  async function actor(onListen: string): Promise<string> {
    const entry = join(folder.path, 'actor.cjs');
    const text = `
      const once = (name) => { try { require('fs').mkdirSync(${JSON.stringify(folder.path)} + name); return true; } catch {} };
      const fail = ({ seq }, code) => process.send({ type: 'failed', seq, code, reason: 'on purpose' });
      process.on('message', (order) => {
        if (order.type === 'leave') process.exit(0);
        if (order.type === 'listen') { ${onListen} }
        process.send({ type: 'confirmed', seq: order.seq });
      });
      process.send({ type: 'hello' });`;
    await writeFile(entry, text);
    return entry;
  }

  it('keeps a server process that could not open the port', async () => {
    const entry = await actor("if (once('/failed')) return fail(order, 'EADDRINUSE');");
    const port = await freePort();
    await prepared({ entry, port, count: 1 });
    await until(() => side.workers[0]?.state === 'idle');
    const before = pids();
    const failure = await side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    expect(failure).to.equal(`Port ${port} on 127.0.0.1 is already in use (EADDRINUSE)`);
    await side.listen({ patienceMs: 0 });
    expect(pids()).to.deep.equal(before);
    expect(side.conditions).to.deep.equal([]);
  });

  /** A true worker, but for what it does when it is to share a port. */
  async function clumsy(onShare: string): Promise<string> {
    const entry = join(folder.path, 'clumsy.mjs');
    const worker = new URL('../../src/public/server-main.js', import.meta.url);
    const text = `
      import { existsSync } from 'node:fs';
      import { Server } from 'node:net';
      const { listen } = Server.prototype;
      const exists = (name) => existsSync(${JSON.stringify(folder.path)} + '/' + name);
      Server.prototype.listen = function (...options) {
        const fail = () => this.emit('error', Object.assign(new Error('on purpose'), { code: 'EMFILE' }));
        if (options[0] instanceof Server && !exists('repaired')) { ${onShare} }
        else listen.apply(this, options);
      };
      await import('${worker}');`;
    await writeFile(entry, text);
    return entry;
  }

  /** Accepts no more, and fails as soon as the test has made the file `allowed`. */
  const failsOnceAllowed = `
    options[0].close();
    const look = setInterval(() => {
      if (!exists('allowed')) return;
      clearInterval(look);
      fail();
    }, 5);`;

  it('opens on all server processes or on none', async () => {
    const port = await freePort();
    await prepared({ entry: await clumsy('fail();'), port });
    await until(() => side.workers.every(({ state }) => state === 'idle'));
    const failure = await side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    expect(failure).to.equal('A server process could not share the port: on purpose');
    expect(side.workers.map(({ state }) => state)).to.deep.equal(['idle', 'idle']);
    expect(await refuses(port)).to.equal(true);
  });

  it('lets a server process that could not share the port retry', async () => {
    const repaired = join(folder.path, 'repaired');
    await writeFile(repaired, '');
    const warnings: string[] = [];
    const log = { info() {}, warn: (_: object, message: string) => warnings.push(message) };
    await serving({ entry: await clumsy('fail();'), rejoinMs: 20, log });
    await rm(repaired);
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() =>
      warnings.includes('server process cannot serve: A server process could not share the port: on purpose'),
    );
    expect(side.workers.map(({ state }) => state)).to.have.members(['serving', 'idle']);
    await writeFile(repaired, '');
    await allServe();
  });

  it('opens the port again after another program has taken it for a while', async () => {
    const port = await serving({ count: 1, rejoinMs: 20, backoffMs: 2000 });
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => conditionOf('NoWorkerServing') !== undefined);
    const blocker = createServer().listen({ host: '127.0.0.1', port });
    await until(() => conditionOf('NoWorkerServing')?.message.includes('already in use (EADDRINUSE)') === true);
    await new Promise((resolve) => blocker.close(resolve));
    await allServe();
    expect(conditionOf('NoWorkerServing')).to.equal(undefined);
    expect(await statusOf(port)).to.equal(200);
  });

  it('drains connections of an opening that failed partway, and reports them at the next close', async () => {
    const port = await freePort();
    await prepared({ entry: await clumsy(failsOnceAllowed), port });
    await until(() => side.workers.every(({ state }) => state === 'idle'));
    const listening = side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    await until(async () => !(await refuses(port)));
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    await writeFile(join(folder.path, 'allowed'), '');
    expect(await listening).to.equal('A server process could not share the port: on purpose');
    expect(await refuses(port)).to.equal(true);
    expect(side.drain?.connections).to.be.greaterThan(0);
    expect((await side.close()).drain).to.not.equal(null);
    expect((await restOf(download)).length).to.be.greaterThan(size);
    await until(() => side.drain === null);
  });

  it('ends and cuts a drain together with those of openings that failed partway', async () => {
    const port = await freePort();
    await prepared({ entry: await clumsy(failsOnceAllowed), port });
    await until(() => side.workers.every(({ state }) => state === 'idle'));
    const underWay = async () => {
      const download = await connected(port, requestFor('/api/v1/assets/2'));
      await new Promise((resolve) => download.once('readable', resolve));
      return download;
    };
    const orphans: Socket[] = [];
    for (const _ of [1, 2]) {
      const listening = side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
      await until(async () => !(await refuses(port)));
      orphans.push(await underWay());
      await writeFile(join(folder.path, 'allowed'), '');
      expect(await listening).to.equal('A server process could not share the port: on purpose');
      await rm(join(folder.path, 'allowed'));
    }
    await writeFile(join(folder.path, 'repaired'), '');
    await side.listen({ patienceMs: 0 });
    const last = await underWay();
    const ended: PublicSideEvent[] = [];
    side.subscribe((event) => event.type === 'drain.ended' && ended.push(event));
    const { drain } = await side.close();
    expect((await restOf(last)).length).to.be.greaterThan(size);
    expect((await restOf(orphans[0] as Socket)).length).to.be.greaterThan(size);
    await until(() => ended.length === 1);
    expect(ended).to.not.deep.include({ type: 'drain.ended', id: drain?.id, cut: 0 });
    side.cut(drain?.id ?? -1);
    await closed(orphans[1] as Socket);
    await until(() => ended.length === 3);
    expect(ended.at(-1)).to.deep.equal({ type: 'drain.ended', id: drain?.id, cut: 0 });
    expect(side.drain).to.equal(null);
  });

  it('retries with another server process when one dies while opening, a limited number of times', async () => {
    const entry = await actor("if (once('/died-1') || once('/died-2')) process.exit(3);");
    await prepared({ entry, count: 1 });
    await side.listen({ patienceMs: 0 });
    expect(conditionOf('WorkerCrashed')?.reason).to.equal('ExitCode3');
    await side.close();
    await writeFile(entry, (await readFile(entry, 'utf8')).replace("once('/died-1')", 'true'));
    process.kill(pids()[0] ?? 0, 'SIGKILL');
    await until(() => conditionOf('WorkerCrashed')?.reason === 'SIGKILL');
    const failure = await side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    expect(failure).to.equal('The port could not be opened: 3 server processes died while opening it');
  });

  it('logs the output of server processes instead of printing it', async () => {
    const lines: object[] = [];
    const log = { info() {}, warn: (facts: object) => lines.push(facts) };
    const entry = join(folder.path, 'chatty.cjs');
    await writeFile(entry, 'console.log("out"); console.error("err"); setInterval(() => {}, 1000);');
    await prepared({ entry, count: 1, log });
    await until(() => lines.length === 2);
    expect(lines.map((facts) => 'line' in facts && facts.line)).to.have.members(['out', 'err']);
  });

  it('passes only an allowlist of environment variables to server processes', async () => {
    const entry = join(folder.path, 'nosy.cjs');
    const script = 'console.log(NODE_ENV, ...Object.keys(all).filter((name) => all[name].includes("do not tell")));';
    await writeFile(entry, `const { NODE_ENV, ...all } = process.env; ${script}`);
    const secrets = {
      DISTRIBUTOR__OPERATOR_API__HMAC_SECRET: 'do not tell',
      JOYSTREAM_DISTRIBUTOR__KEYS: '[{"suri":"do not tell"}]',
      DISTRIBUTOR__LOGS__ELASTIC__AUTH__PASSWORD: 'do not tell',
      DISTRIBUTOR__OPERATOR_API: '{"hmacSecret":"do not tell"}',
      SOMETHING_ELSE: 'do not tell',
    };
    const { NODE_ENV } = process.env;
    Object.assign(process.env, secrets, { NODE_ENV: 'testing' });
    const lines: string[] = [];
    const log = { info() {}, warn: (facts: object) => 'line' in facts && lines.push(String(facts.line)) };
    try {
      await prepared({ entry, count: 1, log });
      await until(() => lines.length > 0);
    } finally {
      for (const name of Object.keys(secrets)) delete process.env[name];
      if (NODE_ENV === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = NODE_ENV;
    }
    expect(lines).to.deep.equal(['testing']);
  });
});

describe('server processes whose control process was killed', () => {
  it('stop accepting within a second, finish responses in progress, and exit', async () => {
    const folder = await Folder.make();
    const store = await TestStore.open(folder.path);
    store.publish(await folder.object('1', 'one'), await folder.object('2', size));
    const script = fileURLToPath(new URL('../support/control-process.js', import.meta.url));
    const control = fork(script, [JSON.stringify({ setup: { ...setup, ...store.setup }, drainTimeoutMs: 600_000 })]);
    const { port, pids } = await reported(control);
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    // Signals go to the whole group from a terminal: workers take no notice.
    for (const pid of pids) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.kill(pid, signal);
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(200);
    control.kill('SIGKILL');
    // While the download, which takes its time, still holds the worker.
    await until(() => refuses(port));
    expect(download.destroyed).to.equal(false);
    expect((await restOf(download)).length).to.be.greaterThan(size);
    await until(async () => !(await Promise.all(pids.map(isAlive))).includes(true));
    await store.close();
    await folder.remove();
  });

  it('cut the remaining connections at their deadline, and exit', async () => {
    const folder = await Folder.make();
    const store = await TestStore.open(folder.path);
    const script = fileURLToPath(new URL('../support/control-process.js', import.meta.url));
    store.publish(await folder.object('2', size));
    const control = fork(script, [JSON.stringify({ setup: { ...setup, ...store.setup }, drainTimeoutMs: 500 })]);
    const { port, pids } = await reported(control);
    const slow = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => slow.once('readable', resolve));
    control.kill('SIGKILL');
    await until(async () => !(await Promise.all(pids.map(isAlive))).includes(true));
    expect((await restOf(slow)).length).to.be.lessThan(size);
    await store.close();
    await folder.remove();
  });
});

const reported = (control: ChildProcess): Promise<{ port: number; pids: number[] }> =>
  new Promise((resolve, reject) => {
    control.once('message', (message: { port: number; pids: number[] }) => resolve(message));
    control.once('exit', () => reject(new Error('The control process died early')));
  });
