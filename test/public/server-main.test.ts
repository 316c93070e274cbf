// A real server process and its index: none at first, one when it is ordered to read it, another when that was rebuilt.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import { type ConnectionCounts, openConnectionCounts } from '../../src/ipc/connection-counts.ts';
import { type LookUpServer, serveLookUps } from '../../src/ipc/look-up-channel.ts';
import type { Order, Report } from '../../src/ipc/messages.ts';
import { openSharedSettings, type SharedSettings } from '../../src/ipc/shared-settings.ts';
import { openStore } from '../../src/store/index-folder.ts';
import type { IndexWriter } from '../../src/store/object-index.ts';
import { ArrivingCopy, BringingTwin } from '../support/bringing-twin.ts';
import { damageIndex, replacing } from '../support/damage-index.ts';
import { Folder } from '../support/folder.ts';
import { testLimits } from '../support/public-side-twin.ts';
import { publishObjects } from '../support/publish-objects.ts';
import { until } from '../support/until.ts';
import { ask, closed, connected, requestFor } from '../support/viewer.ts';

const entry = fileURLToPath(new URL('../../src/public/server-main.js', import.meta.url));
const source = { kind: 'catalogue', name: '/catalogue.yaml' } as const;

type Body<T = Order> = T extends unknown ? Omit<T, 'seq'> : never;

describe('a server process', () => {
  let folder: Folder;
  let child: ChildProcess;
  let content: LookUpServer;
  let bad: string[];
  let bringing: BringingTwin;
  let shared: SharedSettings;
  let counts: ConnectionCounts;
  const writers: IndexWriter[] = [];
  let damaged: { readonly indexId: string; readonly message: string }[];
  let seq: number;

  beforeEach(async () => {
    folder = await Folder.make();
    [shared, counts, bad, damaged, seq] = [openSharedSettings(), openConnectionCounts(1), [], [], 0];
    bringing = new BringingTwin();
    await serveContent();
    child = fork(entry, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc', shared.descriptor, counts.descriptor] });
    await new Promise((resolve) => child.once('message', resolve));
  });

  afterEach(async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await content.close();
    for (const writer of writers.splice(0)) await writer.close();
    shared.close();
    counts.close();
    await folder.remove();
  });

  async function serveContent(): Promise<void> {
    const lookUps = {
      lookUp: async () => ({ result: 'undecided' }) as const,
      reportBadCopy: (id: string) => void bad.push(id),
      reportDamage: (indexId: string, message: string) => void damaged.push({ indexId, message }),
    };
    content = await serveLookUps(join(folder.path, 'content.sock'), lookUps, bringing);
  }

  function order(body: Body): Promise<Report> {
    seq += 1;
    const own = seq;
    const reply = new Promise<Report>((resolve) => {
      const take = (report: Report) => {
        if (!('seq' in report) || report.seq !== own) return;
        child.off('message', take);
        resolve(report);
      };
      child.on('message', take);
    });
    child.send({ ...body, seq: own });
    return reply;
  }

  function prepared(): Promise<Report> {
    const setup = {
      ...{ id: 'test-node', version: '1.2.3', limits: testLimits, indexSource: source },
      assetsDirectory: join(folder.path, 'assets'),
      passing: { allowPrivateAddresses: true, requestTimeoutMs: 60_000, stallTimeoutMs: 60_000, maxResponses: 10 },
      ...{ stateDirectory: folder.path, lookUpSocket: join(folder.path, 'content.sock'), lookUpTimeoutMs: 60_000 },
    };
    const settings = { number: 0, settings: { workerId: 0, buckets: null } };
    return order({ type: 'setup', setup, process: 0, settings, drainTimeoutMs: 1000 });
  }

  /** @returns its port */
  async function listening(): Promise<number> {
    await prepared();
    const report = await order({ type: 'listen', host: '127.0.0.1', port: 0 });
    return ('port' in report && report.port) || 0;
  }

  function empty(): IndexWriter {
    const { index } = openStore(folder.path, source, 100_000_000);
    writers.push(index);
    return index;
  }

  function built(...objects: DataObject[]): IndexWriter {
    const index = empty();
    publishObjects(index, objects);
    return index;
  }

  it('reads an index that exists at its start', async () => {
    built(await folder.object('1', 'one'));
    const port = await listening();
    expect((await ask(port, '/api/v1/assets/1')).body.toString()).to.equal('one');
    expect((await ask(port, '/readyz')).status).to.equal(200);
  });

  it('is undecided without an index, and reads one when it is ordered to', async () => {
    const port = await listening();
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(503);
    expect(await order({ type: 'index', id: 'none' })).to.include({ type: 'failed' });
    const { summary } = built(await folder.object('1', 'one'));
    expect(await order({ type: 'index', id: summary.id })).to.include({ type: 'confirmed' });
    expect((await ask(port, '/api/v1/assets/1')).body.toString()).to.equal('one');
  });

  it('reads the index that has replaced a renamed one', async () => {
    const first = built(await folder.object('1', 'one'));
    const port = await listening();
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(200);
    expect(await order({ type: 'index', id: first.summary.id })).to.include({ type: 'confirmed' });
    await rename(join(folder.path, 'index'), join(folder.path, 'index.damaged'));
    const second = built(await folder.object('2', 'two'));
    expect((await ask(port, '/api/v1/assets/2')).status).to.equal(404);
    expect(await order({ type: 'index', id: second.summary.id })).to.include({ type: 'confirmed' });
    expect((await ask(port, '/api/v1/assets/2')).body.toString()).to.equal('two');
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(404);
  });

  it('reports during setup an index of a directory that was read', async () => {
    built();
    expect(await prepared()).to.include({ type: 'confirmed', hasIndex: true });
  });

  it('reports no index if the directory was never read, or if there is none', async () => {
    expect(await prepared()).to.include({ type: 'confirmed', hasIndex: false });
    empty();
    expect(await prepared()).to.include({ type: 'confirmed', hasIndex: false });
  });

  it('retries with each heartbeat an index that it could not read when ordered', async () => {
    const { summary } = built(await folder.object('1', 'one'));
    const [path, away] = [join(folder.path, 'index'), join(folder.path, 'away')];
    await rename(path, away);
    const port = await listening();
    expect(await order({ type: 'index', id: summary.id })).to.include({ type: 'failed' });
    expect(await order({ type: 'ping' })).to.include({ type: 'confirmed' });
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(503);
    await rename(away, path);
    await order({ type: 'ping' });
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(200);
  });

  it('follows a copy that arrives, is cut when the content process goes, and uses the copy of the next one', async () => {
    const bytes = Buffer.alloc(1_000_000, 'abcdefg');
    const copy = await ArrivingCopy.begin(bringing, { assets: join(folder.path, 'assets'), id: '1', bytes });
    const index = built(copy.object);
    const port = await listening();
    await copy.grow(1000);
    const socket = await connected(port, requestFor('/api/v1/assets/1'));
    let got = '';
    socket.on('data', (chunk) => {
      got += chunk.toString('latin1');
    });
    socket.resume();
    await until(() => got.includes('\r\n\r\nabc'));
    await content.close();
    await closed(socket);
    expect(got.length).to.be.lessThan(bytes.length);
    await serveContent();
    await until(async () => (await ask(port, '/api/v1/assets/1', { range: 'bytes=0-9' })).status === 206);
    const answer = ask(port, '/api/v1/assets/1');
    await until(() => bringing.followers('1') === 1);
    await copy.finish(index);
    expect((await answer).body.equals(bytes)).to.equal(true);
    const hit = await ask(port, '/api/v1/assets/1');
    expect([hit.headers['x-cache'], hit.body.equals(bytes)]).to.deep.equal(['hit', true]);
    bringing.downloadsInProgress = 5;
    const status = async () => JSON.parse((await ask(port, '/api/v1/status')).body.toString());
    await until(async () => (await status()).downloadsInProgress === 5);
    expect(await status()).to.include({ objectsInCache: 1, storageUsed: bytes.length });
    await until(() => Object.assign({}, ...bringing.uses)['1'] > 0);
  });

  it('passes an object through, from addresses that the setup allows', async () => {
    const source = createServer((_, res) => void res.end('0123456789')).listen(0, '127.0.0.1');
    await once(source, 'listening');
    const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}/1`;
    bringing.answers.set('1', () => ({ result: 'pass', passage: { urls: [url], size: 10, type: 'text/plain' } }));
    const one = await folder.object('1', '0123456789', { path: null, verified: null });
    built(one);
    const port = await listening();
    const { status, headers, body } = await ask(port, '/api/v1/assets/1');
    expect([status, headers['x-data-source'], body.toString()]).to.deep.equal([200, 'external', '0123456789']);
    source.close();
  });

  it('reports a bad copy to the content process', async () => {
    const one = await folder.object('1', 'one');
    built(one);
    const port = await listening();
    await folder.object('1', 'longer');
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(404);
    await until(() => bad.length > 0);
    expect(bad).to.deep.equal(['1']);
  });

  it('does not read a damaged index any longer, reports it until it is replaced, and reads the next', async () => {
    const one = await folder.object('1', 'one');
    const { summary } = built(one);
    const port = await listening();
    await order({ type: 'index', id: summary.id });
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(200);
    damageIndex(folder.path, replacing(one.path ?? '', (one.path ?? '').replace(/.$/, '?')));
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(503);
    expect((await ask(port, '/readyz')).status).to.equal(503);
    await until(() => damaged.length === 1);
    expect(damaged[0]?.indexId).to.equal(summary.id);
    expect(damaged[0]?.message).to.contain('a wrong checksum');
    // The report may have been lost: another read meets the damage again.
    await order({ type: 'ping' });
    expect((await ask(port, '/api/v1/assets/1')).status).to.equal(503);
    await until(() => damaged.length === 2);
    await rename(join(folder.path, 'index'), join(folder.path, 'index.damaged'));
    const next = built(one);
    await order({ type: 'index', id: next.summary.id });
    expect((await ask(port, '/api/v1/assets/1')).body.toString()).to.equal('one');
  });
});
