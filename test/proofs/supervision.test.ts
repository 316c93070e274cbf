// What an operator sees when processes of a real node die: which are replaced, what is reported, what continues.
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { StateDocument } from '../../src/control/node-control.ts';
import { freePort } from '../support/free-port.ts';
import { accessToken, Home, type RealNode } from '../support/harness.ts';
import { isAlive } from '../support/is-alive.ts';
import { until } from '../support/until.ts';
import { ask, connected, refuses, requestFor, restOf } from '../support/viewer.ts';

const asset = (id: string) => `/api/v1/assets/${id}`;
const bigBytes = 32 * 1024 * 1024;
const faults = `--import ${fileURLToPath(new URL('../support/faults.js', import.meta.url))}`;

describe('a node whose processes die', () => {
  let home: Home;
  let operatorPort: number;
  const nodes: RealNode[] = [];

  before(async () => {
    operatorPort = await freePort();
    home = await Home.make({
      operatorApi: { port: operatorPort },
      objects: { 1: 'one', 2: bigBytes },
      publicApi: { workers: 2, workerTimeoutMs: 3000, heartbeatMs: 50, drainTimeoutSec: 600 },
    });
  });

  after(async () => {
    await home.remove();
  });

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.end();
    await until(() => refuses(home.port));
  });

  async function start(nodeOptions?: string): Promise<RealNode> {
    const node = await home.start(nodeOptions === undefined ? {} : { nodeOptions });
    nodes.push(node);
    await until(async () => (await node.state()).workers.every(({ state }) => state === 'serving'));
    return node;
  }

  async function replaced(node: RealNode, victim: number): Promise<StateDocument> {
    await until(async () => (await node.state()).lastCrash?.pid === victim);
    await until(async () => {
      const { workers } = await node.state();
      return workers.length === 2 && workers.every(({ state }) => state === 'serving');
    });
    return node.state();
  }

  it('replaces workers whatever ends them, and says when, why and how often', async () => {
    const node = await start(`${faults} --max-old-space-size=48`);
    const deaths: [NodeJS.Signals, string, RegExp][] = [
      ['SIGKILL', 'SIGKILL', /was ended by SIGKILL/],
      ['SIGUSR2', 'ExitCode1', /exit code 1: TypeError: a fault that was thrown in/],
      ['SIGURG', 'SIGABRT', /FATAL ERROR: .*out of memory/],
      ['SIGSTOP', 'Unresponsive', /did not answer "ping" within 3000 ms/],
      ['SIGWINCH', 'Unresponsive', /did not answer "ping" within 3000 ms/],
    ];
    for (const [index, [signal, reason, words]] of deaths.entries()) {
      const [victim = 0, other] = await node.workerPids();
      process.kill(victim, signal);
      const { workers, conditions, lastCrash, publicApi } = await replaced(node, victim);
      expect(lastCrash, signal).to.include({ what: 'worker', reason });
      expect(lastCrash?.message).to.match(words);
      const condition = conditions.find(({ type }) => type === 'WorkerCrashed');
      expect(condition?.message).to.contain(
        `Server processes died ${index === 0 ? 'once' : `${index + 1} times`} since`,
      );
      expect(workers.map(({ pid }) => pid))
        .to.include(other)
        .and.not.include(victim);
      expect(publicApi).to.equal('running');
      expect((await ask(node.port, asset('1'))).status).to.equal(200);
    }
    node.signal('SIGTERM');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  }).timeout(180_000);

  it('starts again beside old server processes that still hold the port, and they finish their responses', async () => {
    const first = await start();
    const pids = await first.workerPids();
    const download = await connected(home.port, requestFor(asset('2')));
    await new Promise((resolve) => download.once('readable', resolve));
    // Stopped, they cannot close the port when their control process dies.
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    first.signal('SIGKILL');
    await first.exited;
    const second = home.launch();
    nodes.push(second);
    // It waits for the port: nothing else can keep it in this state.
    await until(async () => (await publicApiAt(operatorPort)) === 'starting');
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    await second.up;
    const { publicApi, lastCrash } = await second.state();
    expect(publicApi).to.equal('running');
    expect(lastCrash).to.include({ what: 'control', pid: first.pid, reason: 'Killed' });
    expect((await ask(home.port, asset('1'))).status).to.equal(200);
    expect((await Promise.all(pids.map(isAlive))).includes(true)).to.equal(true);
    expect((await restOf(download)).length).to.be.greaterThan(bigBytes);
    await until(async () => !(await Promise.all(pids.map(isAlive))).includes(true));
  }).timeout(180_000);
});

/** Of a node that may not be up yet; undefined: no answer. */
async function publicApiAt(operatorPort: number): Promise<string | undefined> {
  const url = `http://127.0.0.1:${operatorPort}/api/v1/state`;
  const headers = { authorization: `Bearer ${await accessToken()}` };
  const answer = await fetch(url, { headers }).catch(() => null);
  return ((await answer?.json()) as StateDocument | undefined)?.publicApi;
}
