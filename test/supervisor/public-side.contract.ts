// What everything that fills the port `PublicSide` must do: run against real worker processes and the in-process twin.
import { utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect } from 'chai';
import type { IndexWriter } from '../../src/store/object-index.ts';
import type { PublicSide, PublicSideEvent, WorkerStatus } from '../../src/supervisor/public-side.ts';
import { Folder } from '../support/folder.ts';
import { publishObjects, putObjects } from '../support/publish-objects.ts';
import { until } from '../support/until.ts';
import { ask, closed, connected, refuses, requestFor, restOf, Viewer } from '../support/viewer.ts';
import { withClockAt, withJumpingClock } from '../support/wall-clock.ts';

export interface ContractOptions {
  readonly port?: number;
  readonly drainTimeoutMs?: number;
}

const bigSize = 16 * 1024 * 1024;
const asset = (id: string) => `/api/v1/assets/${id}`;

/** A public side on 127.0.0.1 with an idle grace of 100 ms, not started yet, and what it reads and reports. */
export interface ContractSubject {
  readonly side: PublicSide;
  readonly index: IndexWriter;
  /** Ids of the reported bad copies. */
  readonly badCopies: readonly string[];
  close?(): Promise<void>;
}

/** @param create its files, if it needs any, are in this folder */
export function publicSideContract(
  create: (options: ContractOptions, folder: string) => ContractSubject | Promise<ContractSubject>,
): void {
  let folder: Folder;
  let subject: ContractSubject;
  let side: PublicSide;
  let seen: PublicSideEvent[];

  beforeEach(async () => {
    folder = await Folder.make();
  });

  afterEach(async () => {
    await side.end();
    await subject.close?.();
    await folder.remove();
  });

  /** Started, with worker 0 and two objects: 1 is small, 2 is more than any socket takes at once. */
  async function prepared(options: ContractOptions = {}): Promise<PublicSide> {
    subject = await create(options, folder.path);
    side = subject.side;
    seen = [];
    side.subscribe((event) => seen.push(event));
    side.start();
    await side.configure({ workerId: 0, buckets: null });
    const objects = [await folder.object('1', 'one'), await folder.object('2', bigSize)];
    publishObjects(subject.index, objects);
    return side;
  }

  async function opened(options: ContractOptions = {}): Promise<number> {
    await prepared(options);
    await side.listen({ patienceMs: 0 });
    return portOf(side);
  }

  const event = <T extends PublicSideEvent['type']>(type: T) =>
    new Promise<Extract<PublicSideEvent, { type: T }>>((resolve) => {
      const wanted = (one: PublicSideEvent): one is Extract<PublicSideEvent, { type: T }> => one.type === type;
      const had = seen.find(wanted);
      if (had) return resolve(had);
      const unsubscribe = side.subscribe((one) => {
        if (!wanted(one)) return;
        unsubscribe();
        resolve(one);
      });
    });

  it('answers as soon as it listens, and not before', async () => {
    await prepared();
    expect(side.port).to.equal(null);
    await side.listen({ patienceMs: 0 });
    const { status, body } = await ask(portOf(side), asset('1'));
    expect([status, body.toString()]).to.deep.equal([200, 'one']);
    expect(side.workers.every(({ pid }) => pid > 0)).to.equal(true);
    expect(side.workers.some(({ state }) => state === 'serving')).to.equal(true);
  });

  it('listens once, even if called repeatedly', async () => {
    const port = await opened();
    await side.listen({ patienceMs: 0 });
    expect(side.port).to.equal(port);
    expect((await side.close()).drain).to.equal(null);
    expect(await refuses(port)).to.equal(true);
  });

  it('judges the next request by new settings, on connections that are already there too', async () => {
    const port = await opened();
    const viewer = new Viewer(port);
    expect((await viewer.get(asset('1'))).status).to.equal(200);
    await side.configure({ workerId: 0, buckets: ['7:7'] });
    const answer = await viewer.get(asset('1'));
    expect([answer.status, answer.reused]).to.deep.equal([421, true]);
    viewer.leave();
  });

  it('judges the next request by what is new in the directory', async () => {
    const port = await opened();
    expect((await ask(port, asset('3'))).status).to.equal(404);
    putObjects(subject.index, [await folder.object('3', 'three')]);
    expect((await ask(port, asset('3'))).status).to.equal(200);
    publishObjects(subject.index, []);
    expect((await ask(port, asset('3'))).status).to.equal(404);
  });

  it('takes a directory of many thousand objects', async () => {
    const port = await opened();
    const one = await folder.object('1', 'one');
    const many = Array.from({ length: 20_000 }, (_, at) => ({ ...one, id: String(at) }));
    publishObjects(subject.index, many);
    expect((await ask(port, asset('19999'))).status).to.equal(200);
  });

  it('says that it is ready, and as a lame duck that it is not, but serves on', async () => {
    const port = await opened();
    const ready = await ask(port, '/readyz');
    expect([ready.status, ready.body.toString()]).to.deep.equal([200, 'ok\n']);
    expect(ready.headers).to.include({ 'cache-control': 'no-store' });
    side.retire();
    // Each server process gets a message of its own.
    await until(async () =>
      (await Promise.all([1, 2, 3, 4].map(() => ask(port, '/readyz')))).every((one) => one.status === 503),
    );
    expect((await ask(port, asset('1'))).status).to.equal(200);
    await side.close();
    expect(await refuses(port)).to.equal(true);
    await side.listen({ patienceMs: 0 });
    expect((await ask(portOf(side), '/readyz')).status).to.equal(200);
  });

  it('says on the connections of a drain that it is not ready', async () => {
    const port = await opened();
    const socket = await connected(port, requestFor(asset('2')));
    await new Promise<void>((resolve) => {
      socket.once('data', () => {
        socket.pause();
        resolve();
      });
      socket.resume();
    });
    await side.close();
    socket.write(requestFor('/readyz'));
    expect((await restOf(socket)).subarray(-500).toString())
      .to.include('503 Service Unavailable')
      .and.match(/draining\n$/);
  });

  it('closes without open connections: no drain is left', async () => {
    const port = await opened();
    expect(await side.close()).to.deep.equal({ drain: null });
    expect(await refuses(port)).to.equal(true);
    expect(side.drain).to.equal(null);
  });

  it('closes what is closed', async () => {
    await prepared();
    expect(await side.close()).to.deep.equal({ drain: null });
    await side.listen({ patienceMs: 0 });
    const viewer = new Viewer(portOf(side));
    await viewer.get(asset('1'));
    const [first, second] = await Promise.all([side.close(), side.close()]);
    expect(first.drain).to.not.equal(null);
    expect(second.drain).to.equal(null);
    viewer.leave();
  });

  it('finishes responses in progress after the port has closed, then reports it', async () => {
    const port = await opened({ drainTimeoutMs: 20_000 });
    const download = await connected(port, requestFor(asset('2')));
    await new Promise((resolve) => download.once('readable', resolve));
    const { drain } = await withClockAt(1_700_000_000_000, () => side.close());
    expect(await refuses(port)).to.equal(true);
    expect(drain?.deadline).to.equal(1_700_000_020_000);
    expect(side.drain?.connections).to.equal(1);
    expect(side.drain?.bytesLeft).to.be.within(1, bigSize);
    expect(seen.some(({ type }) => type === 'drain.ended')).to.equal(false);
    const body = await restOf(download);
    expect(body.length).to.be.greaterThan(bigSize);
    expect(await event('drain.ended')).to.deep.equal({ type: 'drain.ended', id: drain?.id, cut: 0 });
    expect(side.drain).to.equal(null);
  });

  it('reports the end of a drain only after its number', async () => {
    const port = await opened();
    const sockets = await Promise.all([connected(port), connected(port)]);
    await Promise.all(sockets.map(async (socket) => socket.destroy()));
    let closedYet = false;
    side.subscribe(({ type }) => {
      if (type === 'drain.ended') expect(closedYet).to.equal(true);
    });
    await side.close();
    closedYet = true;
  });

  it('gives a kept-alive connection one more answer, its last', async () => {
    const port = await opened();
    const viewer = new Viewer(port);
    expect((await viewer.get(asset('1'))).headers.connection).to.equal('keep-alive');
    await side.close();
    const last = await viewer.get(asset('1'));
    expect([last.status, last.reused, last.headers.connection]).to.deep.equal([200, true, 'close']);
    expect((await event('drain.ended')).cut).to.equal(0);
    viewer.leave();
  });

  it('closes connections on which nothing happens after the grace', async () => {
    const port = await opened();
    const silent = await connected(port);
    // A closed listener takes what it has accepted with it; so that it has, it must have answered somebody later.
    await ask(port, asset('1'));
    const { drain } = await side.close();
    await closed(silent);
    expect(await event('drain.ended')).to.deep.equal({ type: 'drain.ended', id: drain?.id, cut: 0 });
  });

  it('opens again beside a drain, and lets drains overlap', async () => {
    const port = await opened({ drainTimeoutMs: 20_000 });
    const downloads = [await connected(port, requestFor(asset('2')))];
    await new Promise((resolve) => downloads[0]?.once('readable', resolve));
    const first = await side.close();
    await side.listen({ patienceMs: 0 });
    expect(side.port).to.equal(port);
    expect((await ask(port, asset('1'))).status).to.equal(200);
    downloads.push(await connected(port, requestFor(asset('2'))));
    await new Promise((resolve) => downloads[1]?.once('readable', resolve));
    const second = await side.close();
    expect(second.drain?.id).to.not.equal(first.drain?.id);
    expect(side.drain?.connections).to.equal(2);
    const bodies = await Promise.all(downloads.map(restOf));
    for (const body of bodies) expect(body.length).to.be.greaterThan(bigSize);
  });

  it('cuts what is left of a drain, and nothing else', async () => {
    const port = await opened();
    const slow = await connected(port, requestFor(asset('2')));
    await new Promise((resolve) => slow.once('readable', resolve));
    const { drain } = await side.close();
    await side.listen({ patienceMs: 0 });
    const viewer = new Viewer(port);
    await viewer.get(asset('1'));
    side.cut(drain?.id ?? -1);
    expect(await event('drain.ended')).to.deep.equal({ type: 'drain.ended', id: drain?.id, cut: 1 });
    expect((await restOf(slow)).length).to.be.lessThan(bigSize);
    expect((await viewer.get(asset('1'))).reused).to.equal(true);
    viewer.leave();
  });

  it('takes no notice of a cut that comes too late', async () => {
    await opened();
    side.cut(99);
    expect((await ask(portOf(side), asset('1'))).status).to.equal(200);
  });

  it('says which port is taken, and can open it once it is free', async () => {
    const { port, free } = await takenPort();
    await prepared({ port });
    const failure = await side.listen({ patienceMs: 0 }).catch((error: Error) => error.message);
    expect(failure).to.equal(`Port ${port} on 127.0.0.1 is already in use (EADDRINUSE)`);
    await free();
    expect(await refuses(port)).to.equal(true);
    await side.listen({ patienceMs: 0 });
    expect((await ask(port, asset('1'))).status).to.equal(200);
  });

  it('retries a port in use for patienceMs', async () => {
    const { port, free } = await takenPort();
    await prepared({ port });
    const listening = side.listen({ patienceMs: 60_000 });
    setImmediate(free);
    await listening;
    expect((await ask(port, asset('1'))).status).to.equal(200);
  });

  it('waits for it by a clock that cannot be set', async () => {
    const { port, free } = await takenPort();
    await prepared({ port });
    await until(() => side.workers.every(({ state }) => state === 'idle'));
    await withJumpingClock(3_600_000, async () => {
      const listening = side.listen({ patienceMs: 60_000 });
      // Not before it has been found taken.
      setTimeout(free, 100);
      await listening;
    });
    expect((await ask(port, asset('1'))).status).to.equal(200);
  });

  it('stops opening when aborted, and leaves nothing open', async () => {
    const { port, free } = await takenPort();
    await prepared({ port });
    const abort = new AbortController();
    const listening = side.listen({ patienceMs: 60_000, signal: abort.signal }).catch((error: Error) => error.message);
    setImmediate(() => abort.abort(new Error('The operator thought better of it')));
    expect(await listening).to.equal('The operator thought better of it');
    await free();
    expect(await refuses(port)).to.equal(true);
  });

  it('lets a close overtake an opening', async () => {
    const { port, free } = await takenPort();
    await prepared({ port });
    const listening = side.listen({ patienceMs: 60_000 }).catch((error: Error) => error.message);
    expect(await side.close()).to.deep.equal({ drain: null });
    expect(await listening).to.equal('The public API is being closed');
    await free();
    expect(await refuses(port)).to.equal(true);
  });

  it('leaves nothing open when close follows listen at once', async () => {
    await opened();
    const port = portOf(side);
    await side.close();
    await Promise.allSettled([side.listen({ patienceMs: 0 }), side.close()]);
    expect(await refuses(port)).to.equal(true);
  });

  it('serves the open port again after everything was killed, by the settings of then', async () => {
    const port = await opened();
    const slow = await connected(port, requestFor(asset('2')));
    await new Promise((resolve) => slow.once('readable', resolve));
    const before = side.workers.map(({ pid }) => pid);
    side.kill();
    await side.configure({ workerId: 0, buckets: ['7:7'] });
    expect((await restOf(slow)).length).to.be.lessThan(bigSize);
    const isReplaced = ({ pid, state }: WorkerStatus) =>
      state === 'serving' && (pid === process.pid || !before.includes(pid));
    await until(() => side.workers.length === before.length && side.workers.every(isReplaced));
    expect([side.port, side.conditions]).to.deep.equal([port, []]);
    expect((await ask(port, asset('1'))).status).to.equal(421);
    await side.close();
    expect(await refuses(port)).to.equal(true);
  });

  it('takes the settings that it has prepared for, and others too', async () => {
    const port = await opened();
    side.prepare({ workerId: 0, buckets: ['7:7'] });
    expect((await ask(port, asset('1'))).status).to.equal(200);
    await side.configure({ workerId: 0, buckets: ['7:7'] });
    expect((await ask(port, asset('1'))).status).to.equal(421);
    side.prepare({ workerId: 0, buckets: ['8:8'] });
    await side.configure({ workerId: 0, buckets: null });
    expect((await ask(port, asset('1'))).status).to.equal(200);
  });

  it('refuses after everything was killed and the port was closed, and can serve again', async () => {
    const port = await opened();
    const slow = await connected(port, requestFor(asset('2')));
    await new Promise((resolve) => slow.once('readable', resolve));
    side.kill();
    expect((await restOf(slow)).length).to.be.lessThan(bigSize);
    expect(await side.close()).to.deep.equal({ drain: null });
    expect(await refuses(port)).to.equal(true);
    await side.listen({ patienceMs: 0 });
    expect((await ask(portOf(side), asset('1'))).status).to.equal(200);
  });

  it('reports a file that does not match the directory', async () => {
    const port = await opened();
    const changed = await folder.object('4', 'four');
    putObjects(subject.index, [changed]);
    await writeFile(changed.path ?? '', 'four, and more of it');
    expect((await ask(port, asset('4'))).status).to.equal(404);
    await until(() => subject.badCopies.includes('4'));
  });

  it('serves a touched file as one that has not been verified, and reports it as a bad copy', async () => {
    const port = await opened();
    const touched = await folder.object('5', 'five');
    putObjects(subject.index, [touched]);
    await utimes(touched.path ?? '', 1, 1);
    const { status, headers } = await ask(port, asset('5'));
    expect([status, headers.etag]).to.deep.equal([200, undefined]);
    await until(() => subject.badCopies.includes('5'));
  });
}

function portOf(side: PublicSide): number {
  if (side.port === null) throw new Error('The public side has no port');
  return side.port;
}

async function takenPort(): Promise<{ port: number; free: () => Promise<void> }> {
  const blocker = createServer().listen({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => blocker.once('listening', resolve));
  const address = blocker.address();
  if (address === null || typeof address === 'string') throw new Error('No address');
  return { port: address.port, free: () => new Promise((resolve) => blocker.close(() => resolve())) };
}
