// A drain with misbehaving clients: they cannot prolong it, and do not affect the others.
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { Folder } from '../support/folder.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { until } from '../support/until.ts';
import { ask, closed, connected, refuses, requestFor, restOf, Viewer } from '../support/viewer.ts';
import { withJumpingClock } from '../support/wall-clock.ts';

const size = 16 * 1024 * 1024;

describe('a listener of the public port', () => {
  let folder: Folder;
  let open: OpenPublicServer;

  before(async () => {
    folder = await Folder.make();
  });

  after(() => folder.remove());

  afterEach(() => open.leave());

  const opened = async (limits = {}) => {
    open = await openPublicServer([await folder.object('1', 'one'), await folder.object('2', size)], { limits });
    return open.port;
  };

  async function stop(): Promise<void> {
    await open.publicServer.close(1, 500);
    open.publicServer.drain(1);
  }

  const connections = () => open.publicServer.activity.drains.find(({ drain }) => drain === 1)?.connections;

  it('is cut whole: half-sent headers, silence, slow readers and would-be upgrades', async () => {
    const port = await opened({ idleGraceMs: 60_000 });
    const hostile = await Promise.all([
      connected(port),
      connected(port, 'GET /api/v1/assets/2 HTTP/1.1\r\nHost: a\r\nX-Slow'),
      connected(port, requestFor('/api/v1/assets/2')),
      connected(port, 'GET /api/v1/status HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
      connected(port, 'POST /api/v1/assets/2 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf a body'),
    ]);
    await new Promise((resolve) => hostile[2]?.once('readable', resolve));
    await stop();
    expect(await refuses(port)).to.equal(true);
    expect(connections()).to.equal(5);
    open.publicServer.cut(1);
    expect(await open.drained).to.equal(5);
    await Promise.all(hostile.map(closed));
  });

  it('closes silent connections after the grace, and leaves a half-sent header to its own timeout', async () => {
    const port = await opened({ headersTimeoutMs: 400, requestTimeoutMs: 600_000 });
    const silent = await connected(port);
    const half = await connected(port, 'GET /api/v1/assets/1 HTTP/1.1\r\nHost: a\r\nX-Slow');
    await ask(port, '/api/v1/assets/1');
    await stop();
    await closed(silent);
    await until(() => connections() === 1);
    // Node would stop looking for late headers if its own server.close() had been called.
    expect((await restOf(half)).toString()).to.match(/^HTTP\/1\.1 408 /);
    expect(await open.drained).to.equal(0);
  });

  it('lets a header that was half sent at the close be finished, and answers it', async () => {
    const port = await opened();
    const half = await connected(port, 'GET /api/v1/assets/1 HTTP/1.1\r\nHost: a\r\n');
    await ask(port, '/api/v1/assets/1');
    await stop();
    await new Promise((resolve) => setTimeout(resolve, 250));
    half.write('\r\n');
    const answer = (await restOf(half)).toString();
    expect(answer)
      .to.match(/^HTTP\/1\.1 200 /)
      .and.match(/\r\nConnection: close\r\n/);
    expect(await open.drained).to.equal(0);
  });

  it('answers a client that has closed its side, whole, and lets go of it', async () => {
    const port = await opened();
    const half = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    half.end(requestFor('/api/v1/assets/2') + requestFor('/api/v1/assets/1'));
    const answers = await restOf(half);
    expect(answers.length).to.be.greaterThan(size);
    expect(answers.subarray(-3).toString()).to.equal('one');
    const silent = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    silent.end('GET /api/v1/assets/1 HTTP/1.1\r\nHost: a\r\n');
    expect((await restOf(silent)).toString()).to.match(/^HTTP\/1\.1 400 /);
    await stop();
    expect(await open.drained).to.equal(0);
  });

  it('counts the grace from the end of an answer, not from the close', async () => {
    const port = await opened({ idleGraceMs: 1500 });
    const viewer = new Viewer(port);
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    await viewer.get('/api/v1/assets/1');
    await stop();
    // Its head was sent before the close, so it says nothing of one: the client may well ask once more.
    await until(() => connections() === 1);
    let got = 0;
    await new Promise<void>((resolve) => {
      download.on('data', (chunk: Buffer) => {
        got += chunk.length;
        if (got > size) resolve();
      });
    });
    download.write(requestFor('/api/v1/assets/1'));
    expect((await restOf(download)).toString()).to.match(/\r\nConnection: close\r\n/);
    viewer.leave();
  });

  it('measures the grace by a clock that cannot be set', async () => {
    const port = await opened();
    const silent = await connected(port);
    await ask(port, '/api/v1/assets/1');
    await withJumpingClock(-3_600_000, async () => {
      await stop();
      await closed(silent);
    });
    expect(await open.drained).to.equal(0);
  });

  it('answers what was asked while it was closing', async () => {
    const port = await opened();
    const viewers = Array.from({ length: 30 }, () => new Viewer(port));
    const answers = Promise.all(viewers.map((viewer) => viewer.get('/api/v1/assets/1')));
    await ask(port, '/api/v1/assets/1');
    await stop();
    expect((await answers).map(({ status }) => status)).to.deep.equal(viewers.map(() => 200));
    expect(await open.drained).to.equal(0);
    for (const viewer of viewers) viewer.leave();
  });

  it('takes no more connections than it may', async () => {
    const port = await opened({ maxConnections: 2 });
    const [first, second] = [new Viewer(port), new Viewer(port)];
    await first.get('/api/v1/assets/1');
    await second.get('/api/v1/assets/1');
    await closed(await connected(port));
    expect((await first.get('/api/v1/assets/1')).reused).to.equal(true);
    first.leave();
    second.leave();
  });

  it('counts what drains still hold among the connections it may have', async () => {
    const port = await opened({ maxConnections: 2, idleGraceMs: 10_000 });
    const download = await connected(port, requestFor('/api/v1/assets/2'));
    await new Promise((resolve) => download.once('readable', resolve));
    await open.publicServer.close(1, 500);
    open.publicServer.drain(1);
    const again = await open.publicServer.listen({ host: '127.0.0.1', port });
    const viewer = new Viewer(again);
    await viewer.get('/api/v1/assets/1');
    await closed(await connected(again));
    download.destroy();
    await open.drained;
    expect((await ask(again, '/api/v1/assets/1')).status).to.equal(200);
    viewer.leave();
  });

  it('cuts an answer of which nothing is taken any more, and no other', async () => {
    const port = await opened({ stallTimeoutMs: 2000 });
    const stalled = await connected(port, requestFor('/api/v1/assets/2'));
    const slow = await connected(port, requestFor('/api/v1/assets/2'));
    expect(await takenSlowly(slow)).to.be.greaterThan(size);
    await until(() => timesOpen(join(folder.path, '2')) === 0);
    expect((await restOf(stalled)).length).to.be.lessThan(size);
  });

  it('opens no file for what was sent ahead before its turn has come, and lets go of all when the connection has gone', async () => {
    const port = await opened();
    const one = await connected(port, requestFor('/api/v1/assets/2').repeat(50));
    await new Promise((resolve) => one.once('readable', resolve));
    expect([open.publicServer.activity.requests, timesOpen(join(folder.path, '2'))]).to.deep.equal([1, 1]);
    let got = 0;
    one.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    await until(() => got > 2 * size);
    one.destroy();
    await until(() => timesOpen(join(folder.path, '2')) === 0);
    await stop();
    expect(await open.drained).to.equal(0);
    expect(open.publicServer.activity.requests).to.be.within(2, 49);
  });

  it('begins nothing behind an answer that has said that it is the last', async () => {
    const port = await opened({ idleGraceMs: 10_000 });
    const one = await connected(port);
    await ask(port, '/api/v1/assets/1');
    await stop();
    const before = open.publicServer.activity.requests;
    one.write(requestFor('/api/v1/assets/1').repeat(3));
    expect((await restOf(one)).toString().split('\r\nConnection: close\r\n').length - 1).to.equal(1);
    expect(await open.drained).to.equal(0);
    expect(open.publicServer.activity.requests - before).to.equal(1);
  });

  it('parts from a client that sends hundreds of requests ahead', async () => {
    const port = await opened();
    const answers = (await restOf(await connected(port, requestFor('/api/v1/assets/1').repeat(1000)))).toString();
    expect(answers.split('HTTP/1.1 200 ').length - 1).to.be.lessThan(1000);
    const few =
      requestFor('/api/v1/assets/1').repeat(99) +
      requestFor('/api/v1/assets/1').replace('Host', 'Connection: close\r\nHost');
    expect((await restOf(await connected(port, few))).toString().split('HTTP/1.1 200 ').length - 1).to.equal(100);
  });
});

/** How often this process has a file open. */
const timesOpen = (path: string): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;

/** Bytes of an answer that is taken with a pause after every few MiB, none as long as would be cut, all of them longer. */
async function takenSlowly(socket: Socket): Promise<number> {
  let got = 0;
  for await (const { length } of socket) {
    const before = got;
    got += length;
    if (Math.floor(got / 3_000_000) > Math.floor(before / 3_000_000)) await sleep(500);
    if (got > size) return got;
  }
  return got;
}
