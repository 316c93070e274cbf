// Arriving copies over the look-up channel: viewers share questions, and news cannot pile up.
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Arrival, Brought } from '../../src/ipc/arrival.ts';
import { type LookUpServer, serveLookUps } from '../../src/ipc/look-up-channel.ts';
import { LookUpClient } from '../../src/ipc/look-up-client.ts';
import { BringingTwin } from '../support/bringing-twin.ts';
import { Folder } from '../support/folder.ts';
import { turns, until } from '../support/until.ts';

const arrival = (received: number, state: Arrival['state'] = 'arriving'): Arrival => ({
  ...{ path: '/assets/07/7.part', size: 1000, type: 'video/mp4' },
  ...{ received, state },
});

const arriving = (received: number): Brought => ({ result: 'arriving', arrival: arrival(received) });
const undecided: Brought = { result: 'undecided' };

const lookUps = {
  lookUp: async () => ({ result: 'unknown' }) as const,
  reportBadCopy: () => {},
  reportDamage: () => {},
};

describe('the look-up channel, for copies that arrive', () => {
  let folder: Folder;
  let path: string;
  let twin: BringingTwin;
  let server: LookUpServer;
  let client: LookUpClient;

  beforeEach(async () => {
    folder = await Folder.make();
    path = join(folder.path, 'content.sock');
    twin = new BringingTwin();
    server = await serveLookUps(path, lookUps, twin);
    client = new LookUpClient(path, { timeoutMs: 60_000 });
  });

  afterEach(async () => {
    client.close();
    await server.close();
    await folder.remove();
  });

  /** A viewer of object 7, and the news it gets. */
  function viewer(from = 0) {
    const news: Arrival[] = [];
    const following = client.bring('7', { from, onArrival: (arrived) => void news.push(arrived) });
    return { ...following, news };
  }

  it('carries the first answer, whatever it is, and then the news until they are final', async () => {
    const passage = { urls: ['http://127.0.0.1/7'], size: null, type: null };
    for (const brought of [
      { result: 'pass', passage },
      { result: 'here' },
      { result: 'unavailable' },
      { result: 'undecided' },
    ] as const) {
      twin.answers.set('7', () => brought);
      expect(await viewer().brought).to.deep.equal(brought);
    }
    twin.answers.set('7', () => arriving(10));
    const { brought, news } = viewer();
    expect(await brought).to.deep.equal(arriving(10));
    twin.notify('7', arrival(20));
    await until(() => news.length === 1);
    twin.notify('7', arrival(1000, 'here'));
    await until(() => news.length === 2);
    expect(news).to.deep.equal([arrival(20), arrival(1000, 'here')]);
  });

  it('asks once for the many viewers of one object, and stops when the last has left', async () => {
    twin.answers.set('7', () => arriving(0));
    const viewers = Array.from({ length: 100 }, () => viewer());
    await Promise.all(viewers.map(({ brought }) => brought));
    twin.notify('7', arrival(500));
    await until(() => viewers.every(({ news }) => news.length === 1));
    // A later viewer whose range has arrived gets the latest news at once.
    const late = viewer(400);
    expect(await late.brought).to.deep.equal(arriving(500));
    expect(twin.asked).to.deep.equal([{ id: '7', from: 0 }]);
    for (const { stop } of viewers) stop();
    twin.notify('7', arrival(600));
    await until(() => late.news.length === 1);
    expect([twin.followers('7'), viewers[0]?.news.length]).to.deep.equal([1, 1]);
    late.stop();
    late.stop();
    await until(() => twin.followers('7') === 0);
  });

  it('asks again for a viewer far ahead, and follows each copy once', async () => {
    const passage = { urls: ['http://127.0.0.1/7'], size: 1000, type: null };
    twin.answers.set('7', (from) => (from > 500 ? { result: 'pass', passage } : arriving(10)));
    const first = viewer();
    await first.brought;
    expect(await viewer(900).brought).to.deep.equal({ result: 'pass', passage });
    const near = viewer(100);
    expect(await near.brought).to.deep.equal(arriving(10));
    expect(twin.asked.map(({ from }) => from)).to.deep.equal([0, 900, 100]);
    twin.notify('7', arrival(200));
    await until(() => near.news.length === 1 && first.news.length === 1);
    first.stop();
    twin.notify('7', arrival(300));
    await until(() => near.news.length === 2);
    expect(first.news.length).to.equal(1);
    near.stop();
    // The question of the passed-through viewer ended with its answer.
    await until(() => twin.followers('7') === 1);
  });

  it('stops a question without an answer', async () => {
    twin.answers.set('7', () => new Promise(() => {}));
    const { brought, stop } = viewer();
    await until(() => twin.followers('7') === 1);
    stop();
    expect(await brought).to.deep.equal(undecided);
    await until(() => twin.followers('7') === 0);
  });

  it('is undecided, and stops, when there is no first answer in time', async () => {
    twin.answers.set('7', () => new Promise(() => {}));
    const hasty = new LookUpClient(path, { timeoutMs: 60_000, bringTimeoutMs: 50 });
    expect(await hasty.bring('7', { from: 0, onArrival: () => {} }).brought).to.deep.equal(undecided);
    await until(() => twin.asked.length === 1 && twin.followers('7') === 0);
    hasty.close();
  });

  it('fails copies when the content process exits, is undecided without one, and asks the next one', async () => {
    twin.answers.set('7', () => arriving(10));
    twin.answers.set('8', () => new Promise(() => {}));
    const { brought, news } = viewer();
    const waiting = client.bring('8', { from: 0, onArrival: () => {} });
    await brought;
    await until(() => twin.followers('8') === 1);
    await server.close();
    expect(await waiting.brought).to.deep.equal(undecided);
    await until(() => news.length === 1);
    expect(news).to.deep.equal([arrival(10, 'failed')]);
    expect([twin.followers('7'), twin.followers('8')]).to.deep.equal([0, 0]);
    expect(await viewer().brought).to.deep.equal(undecided);
    server = await serveLookUps(path, lookUps, twin);
    await until(async () => (await viewer().brought).result === 'arriving');
  });

  it('is undecided at once about more objects than one connection may follow', async () => {
    let asked = 0;
    const silent = { ...lookUps };
    await server.close();
    const counting = Object.assign(new BringingTwin(), {
      bring: () => {
        asked += 1;
        const stop = () => {
          asked -= 1;
        };
        return { brought: new Promise<Brought>(() => {}), stop };
      },
    });
    server = await serveLookUps(path, silent, counting);
    const first = await connected();
    // A client limits its own questions; this raw connection does not.
    for (let seq = 0; seq < 1200; seq += 1) first.socket.write(`{"seq":${seq},"bring":"${seq}","from":0}\n`);
    await until(() => first.lines.length === 200);
    expect([asked, JSON.parse(first.lines[0] ?? '')]).to.deep.equal([1000, { seq: 1000, brought: undecided }]);
    first.socket.destroy();
    await until(() => asked === 0);
    const many = Array.from({ length: 1001 }, (_, at) => client.bring(String(at), { from: 0, onArrival: () => {} }));
    expect(await many[1000]?.brought).to.deep.equal(undecided);
    for (const { stop } of many) stop();
    await until(() => asked === 0);
  });

  /** A connection whose lines a test reads itself. */
  async function connected(): Promise<{ readonly socket: Socket; readonly lines: string[] }> {
    const socket = connect(path);
    socket.on('error', () => {});
    const lines: string[] = [];
    let rest = '';
    socket.on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    });
    await new Promise((resolve) => socket.once('connect', resolve));
    return { socket, lines };
  }

  it('buffers one line of news per copy for a process that does not read, then sends the last', async () => {
    const ids = Array.from({ length: 100 }, (_, at) => String(at));
    for (const id of ids) twin.answers.set(id, () => arriving(0));
    const { socket, lines } = await connected();
    for (const id of ids) socket.write(`{"seq":${id},"bring":"${id}","from":0}\n`);
    await until(() => lines.length === 100);
    socket.pause();
    // More than socket buffers and the limit of unread bytes hold.
    for (let round = 1; round <= 1000; round += 1) {
      for (const id of ids) twin.notify(id, arrival(round));
      if (round % 10 === 0) await turns(1);
    }
    for (const id of ids) twin.notify(id, arrival(1000, 'here'));
    socket.resume();
    await until(() => lines.filter((line) => line.includes('"here"')).length === 100);
    // Out of a hundred thousand: the lines that the socket buffers held.
    expect(lines.length).to.be.lessThan(20_000);
    expect(socket.destroyed).to.equal(false);
    socket.destroy();
  });

  it('carries uses in lines that are short enough', async () => {
    const uses = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [String(at), at + 1]));
    client.reportUses({ ...uses, ['9'.repeat(500)]: 3 });
    await until(() => Object.keys(Object.assign({}, ...twin.uses)).length === 1001);
    expect(Object.assign({}, ...twin.uses)).to.deep.equal({ ...uses, ['9'.repeat(500)]: 3 });
    expect(await client.lookUp('1')).to.deep.equal({ result: 'unknown' });
  });

  it('knows the number of downloads while there is a content process', async () => {
    expect(client.downloadsInProgress).to.equal(0);
    twin.downloadsInProgress = 3;
    await until(() => client.downloadsInProgress === 3);
    twin.downloadsInProgress = 1;
    await until(() => client.downloadsInProgress === 1);
    await server.close();
    await until(() => client.downloadsInProgress === 0);
    server = await serveLookUps(path, lookUps, twin);
    await until(() => client.downloadsInProgress === 1);
  });

  it('is undecided about a first answer that would be too long, and stops', async () => {
    twin.answers.set('7', () => ({ result: 'arriving', arrival: { ...arrival(1), type: 'x'.repeat(100_000) } }));
    expect(await viewer().brought).to.deep.equal(undecided);
    expect(twin.followers('7')).to.equal(0);
  });
});
