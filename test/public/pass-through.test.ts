// Objects that are passed through from sources: bytes are counted, and if a source fails, the response is visibly cut.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import type { Passage } from '../../src/ipc/arrival.ts';
import type { OpenedSource, OpenRange } from '../../src/public/pass-through.ts';
import { openRange } from '../../src/sources/http-fetch.ts';
import { BringingTwin } from '../support/bringing-twin.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { until } from '../support/until.ts';
import { ask, connected, requestFor, restOf } from '../support/viewer.ts';

const size = 500_000;
const bytes = Buffer.from(Uint32Array.from({ length: size / 4 }, (_, at) => at).buffer);
const path = '/api/v1/assets/7';

const object: DataObject = {
  ...{ id: '7', path: null, size, type: null, hash: 'W1', verified: null, accepted: true, buckets: ['0:0'] },
};

describe('an object that is passed through', () => {
  let open: OpenPublicServer;
  let twin: BringingTwin;
  let opened: { readonly url: string; readonly from: number; readonly to: number | undefined }[];
  let bodies: Readable[];
  /** The behaviour of each source, by its URL. */
  let sources: Record<string, (from: number, end: number) => OpenedSource | Promise<OpenedSource>>;

  const whole = { urls: ['a', 'b'], size: null, type: 'video/mp4' };

  beforeEach(() => {
    twin = new BringingTwin();
    [opened, bodies, sources] = [[], [], {}];
  });
  afterEach(() => open.leave());

  const openTwin: OpenRange = async (url, { from, to, signal }) => {
    opened.push({ url, from, to });
    const source = sources[url];
    if (source === undefined) throw new Error('No answer');
    const given = await source(from, to === undefined ? size : to + 1);
    signal.addEventListener('abort', () => given.body.destroy());
    bodies.push(given.body);
    return given;
  };

  async function start(
    passage: Passage,
    { described = object, open: openSource = openTwin, maxPassed = 100 }: Partial<Started> = {},
  ): Promise<void> {
    twin.answers.set('7', () => ({ result: 'pass', passage }));
    open = await openPublicServer([described], { bringing: twin, openRange: openSource, maxPassed });
  }

  interface Started {
    readonly described: DataObject;
    readonly open: OpenRange;
    readonly maxPassed: number;
  }

  const get = (headers: Record<string, string> = {}, method?: string) => ask(open.port, path, headers, method);

  const inChunks = (content: Buffer): Readable =>
    Readable.from(
      Array.from({ length: Math.ceil(content.length / 1000) }, (_, at) => content.subarray(at * 1000, (at + 1) * 1000)),
    );

  const good = (from: number, end: number): OpenedSource => ({ size, body: inChunks(bytes.subarray(from, end)) });

  it('comes from its source, in whole or in part', async () => {
    sources.a = good;
    await start(whole);
    const all = await get();
    expect([all.status, all.body.equals(bytes)]).to.deep.equal([200, true]);
    expect(all.headers).to.include({
      'x-cache': 'miss',
      'x-data-source': 'external',
      'cache-control': 'max-age=180, must-revalidate',
      'content-length': String(size),
      'content-type': 'video/mp4',
    });
    expect(all.headers.etag).to.equal(undefined);
    const part = await get({ range: 'bytes=1000-4999' });
    expect([part.status, part.headers['content-range']]).to.deep.equal([206, `bytes 1000-4999/${size}`]);
    expect(part.body.equals(bytes.subarray(1000, 5000))).to.equal(true);
    expect(opened).to.deep.equal([
      { url: 'a', from: 0, to: size - 1 },
      { url: 'a', from: 1000, to: 4999 },
    ]);
    const { counts } = open.publicServer.serverMetrics;
    expect([counts.sentBytes, counts.answers]).to.deep.equal([
      { local: 0, external: size + 4000 },
      { 'pass 200': 1, 'pass 206': 1 },
    ]);
    expect(twin.followers('7')).to.equal(0);
  });

  it('opens no source for a HEAD or a range beyond its end', async () => {
    await start(whole);
    const head = await get({}, 'HEAD');
    expect([head.status, head.headers['content-length'], head.headers['x-data-source']]).to.deep.equal([
      200,
      String(size),
      'external',
    ]);
    expect((await get({ range: `bytes=${size}-` })).status).to.equal(416);
    expect(opened).to.deep.equal([]);
  });

  it('comes from the next source if one fails before its first byte, and is unavailable if all do', async () => {
    for (const bad of [
      () => ({ size: size + 1, body: inChunks(bytes) }),
      () => ({ size, body: Readable.from([]) }),
      () => ({ size, body: failing(0) }),
      () => Promise.reject(new Error('No answer')),
    ]) {
      sources = { a: bad, b: good };
      await start(whole);
      expect((await get()).body.equals(bytes)).to.equal(true);
      await open.leave();
      sources = { a: bad, b: bad };
      await start(whole);
      const { status, headers, body } = await get();
      expect([status, headers['retry-after'], JSON.parse(body.toString()).type]).to.deep.equal([
        502,
        '30',
        'unavailable',
      ]);
      await open.leave();
    }
  });

  /** Fails after this many bytes. */
  function failing(after: number): Readable {
    return Readable.from(
      (function* () {
        if (after > 0) yield bytes.subarray(0, after);
        throw new Error('Reset');
      })(),
    );
  }

  it('is cut if its source fails, sends too little, or too much', async () => {
    for (const [body, most] of [
      [() => failing(1000), 1000],
      [() => inChunks(bytes.subarray(0, size - 1)), size - 1],
      [() => Readable.from([bytes.subarray(0, size - 1), Buffer.from('xx')]), size - 1],
    ] as const) {
      sources.a = () => ({ size, body: body() });
      await start(whole);
      const text = await restOf(await connected(open.port, requestFor(path)));
      expect(text.length - text.indexOf('\r\n\r\n') - 4).to.be.at.most(most);
      expect(open.publicServer.serverMetrics.counts.broken).to.equal(1);
      await open.leave();
    }
  });

  it('has the size that its source states if the directory states none', async () => {
    sources.a = good;
    await start(whole, { described: { ...object, size: null } });
    expect((await get()).body.equals(bytes)).to.equal(true);
    const part = await get({ range: 'bytes=-10' });
    expect([part.status, part.body.equals(bytes.subarray(-10))]).to.deep.equal([206, true]);
    expect((await get({}, 'HEAD')).headers['content-length']).to.equal(String(size));
    expect((await get({ range: `bytes=${size}-` })).status).to.equal(416);
    await until(() => bodies.every(({ destroyed }) => destroyed));
  });

  it('is sent without a length if its source states none either, and is cut if that fails', async () => {
    const described = { ...object, size: null };
    sources.a = () => ({ size: null, body: inChunks(bytes) });
    await start(whole, { described });
    const { status, headers, body } = await get({ range: 'bytes=0-9' });
    expect([status, headers['content-length'], body.equals(bytes)]).to.deep.equal([200, undefined, true]);
    const head = await get({}, 'HEAD');
    expect([head.status, head.headers['content-length']]).to.deep.equal([200, undefined]);
    sources.a = () => ({ size: null, body: failing(1000) });
    const text = await restOf(await connected(open.port, requestFor(path)));
    expect(text.toString('latin1').endsWith('0\r\n\r\n')).to.equal(false);
    expect(open.publicServer.serverMetrics.counts.broken).to.equal(1);
  });

  it('closes its source when the viewer leaves, at any time', async () => {
    let given = 0;
    const endless = () =>
      new Readable({
        highWaterMark: 0,
        read() {
          given += 1;
          this.push(Buffer.alloc(64 * 1024));
        },
      });
    const large = { ...object, size: 2 ** 40 };
    sources.a = () => ({ size: 2 ** 40, body: endless() });
    await start(whole, { described: large });
    const socket = await connected(open.port, requestFor(path));
    await new Promise((resolve) => socket.once('readable', resolve));
    // A viewer that does not read stalls its source.
    let before = -1;
    await until(async () => {
      if (given === before) return true;
      before = given;
      await new Promise((resolve) => setImmediate(resolve));
      return false;
    });
    expect(given).to.be.lessThan(1000);
    socket.destroy();
    await until(() => bodies.length === 1 && bodies[0]?.destroyed === true);
  });

  it('is refused beyond the number of responses at a time', async () => {
    sources.a = () => ({ size, body: new Readable({ read() {} }).on('error', () => {}) });
    await start(whole, { maxPassed: 2 });
    const sockets = [await connected(open.port, requestFor(path)), await connected(open.port, requestFor(path))];
    await until(() => opened.length === 2);
    const { status, headers, body } = await get();
    expect([status, headers['retry-after'], JSON.parse(body.toString()).type]).to.deep.equal([503, '1', 'overloaded']);
    for (const socket of sockets) socket.resetAndDestroy();
    await until(() => bodies.every(({ destroyed }) => destroyed));
    sources.a = good;
    await until(async () => (await get()).status === 200);
  });

  it('keeps a drain waiting', async () => {
    let pass = () => {};
    const held = new Promise<void>((resolve) => {
      pass = resolve;
    });
    sources.a = () => ({
      size,
      body: Readable.from(
        (async function* () {
          yield bytes.subarray(0, 1000);
          await held;
          yield bytes.subarray(1000);
        })(),
      ),
    });
    await start(whole);
    const answer = get();
    await until(() => open.publicServer.activity.bytesSent === 1000);
    await open.publicServer.close(1, 500);
    open.publicServer.drain(1);
    expect(open.publicServer.activity.drains).to.deep.equal([{ drain: 1, connections: 1, bytesLeft: size - 1000 }]);
    pass();
    expect((await answer).body.equals(bytes)).to.equal(true);
    expect(await open.drained).to.equal(0);
  });

  describe('over HTTP', () => {
    let source: Server;

    beforeEach(async () => {
      source = createServer((req, res) => {
        const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(req.headers.range ?? '') ?? [];
        const part = bytes.subarray(Number(first ?? 0), last ? Number(last) + 1 : size);
        const range = first === undefined ? {} : { 'content-range': `bytes ${first}-${last || size - 1}/${size}` };
        res.writeHead(first === undefined ? 200 : 206, { 'content-length': part.length, ...range });
        if (req.url?.endsWith('broken')) res.write(part.subarray(0, 10), () => res.destroy());
        else res.end(part);
      }).listen(0, '127.0.0.1');
      await new Promise((resolve) => source.once('listening', resolve));
    });
    afterEach(() => new Promise((resolve) => source.close(resolve).closeAllConnections()));

    const real: OpenRange = (url, range) =>
      openRange(url, { allowPrivateAddresses: true, requestTimeoutMs: 60_000, stallTimeoutMs: 60_000, ...range });

    it('comes from its source, and is cut with it', async () => {
      const url = `http://127.0.0.1:${(source.address() as AddressInfo).port}/7`;
      await start({ ...whole, urls: [url] }, { open: real });
      expect((await get()).body.equals(bytes)).to.equal(true);
      const part = await get({ range: 'bytes=100-199' });
      expect([part.status, part.body.equals(bytes.subarray(100, 200))]).to.deep.equal([206, true]);
      twin.answers.set('7', () => ({ result: 'pass', passage: { ...whole, urls: [`${url}-broken`, url] } }));
      const text = await restOf(await connected(open.port, requestFor(path)));
      expect(text.length - text.indexOf('\r\n\r\n') - 4).to.be.lessThan(size);
    });
  });
});
