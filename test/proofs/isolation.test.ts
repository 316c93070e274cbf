// The short form of the proof that the operator gets through: a public side that is saturated, hung, or has used up all it may.
import type { Socket } from 'node:net';
import { expect } from 'chai';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Home, type RealNode, type StartOptions } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { ask, connected, requestFor } from '../support/viewer.ts';
import { proveIsolation } from './isolation.ts';
import { broken } from './proof.ts';

const asset = (id: string) => `/api/v1/assets/${id}`;

describe('The operator gets through', () => {
  it('when the public side is saturated, and when every worker hangs', async () => {
    const options = { workers: 2, clients: 20, turns: 1, calls: 10, workerTimeoutMs: 2000, judged: false };
    expect(broken(await proveIsolation(options, () => {}))).to.deep.equal([]);
  }).timeout(240_000);
});

describe('The operator gets through a flood', () => {
  let home: Home;
  let node: RealNode;
  let flood: Socket[];

  async function start(publicApi: object, options: StartOptions = {}): Promise<void> {
    home = await Home.make({
      objects: { 1: 'one', 2: 8 * 1024 * 1024 },
      publicApi: { workers: 2, ...publicApi, drainTimeoutSec: 1 },
    });
    node = await home.start(options);
    await until(async () => (await node.state()).workers.every(({ state }) => state === 'serving'));
  }

  afterEach(async () => {
    for (const socket of flood) socket.destroy();
    await node.end();
    await home.remove();
  });

  /** As many as come: silent sockets, half-sent requests and downloads that are not read. */
  async function floodWith(count: number): Promise<void> {
    const words = ['', 'GET / HTTP/1.1\r\nHost: te', requestFor(asset('2')), requestFor(asset('2'))];
    flood = await Promise.all(Array.from({ length: count }, (_, at) => connected(node.port, words[at % words.length])));
  }

  async function operatorDoesEverything(): Promise<void> {
    expect((await node.state()).publicApi).to.equal('running');
    expect((await node.command('start-api')).status).to.equal(409);
    expect((await node.command('set-buckets', { buckets: ['1:0'] })).status).to.equal(200);
    expect((await node.command('stop-api')).status).to.equal(200);
    // While the drain still holds what it held.
    const started = await node.command('start-api');
    expect([started.status, (started.document as StateDocument).publicApi]).to.deep.equal([200, 'running']);
    for (const socket of flood.splice(0)) socket.destroy();
    await until(async () => (await ask(node.port, asset('1')).catch(() => null))?.status === 200);
    expect((await node.state()).lastCrash).to.equal(null);
    await node.command('shutdown');
    expect((await node.exited).code).to.equal(0);
  }

  it('when every connection is taken', async () => {
    await start({ maxConnections: 20 });
    await floodWith(100);
    await operatorDoesEverything();
  }).timeout(180_000);

  it('when every file is open', async () => {
    await start({}, { openFiles: 128 });
    expect(node.log).to.contain('publicApi.maxConnections is 80, not 10000');
    await floodWith(500);
    await operatorDoesEverything();
  }).timeout(180_000);
});
