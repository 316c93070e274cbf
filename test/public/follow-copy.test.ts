// Objects that arrive while they are watched: many viewers of one, ranges, failures, and a content process that is replaced.
import { rm, truncate } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { copyPath } from '../../src/store/copy-path.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import { ArrivingCopy, BringingTwin } from '../support/bringing-twin.ts';
import { Folder } from '../support/folder.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { publishObjects, putObjects } from '../support/publish-objects.ts';
import { turns, until } from '../support/until.ts';
import { type Answer, ask, connected, requestFor, restOf } from '../support/viewer.ts';

const size = 3_000_007;
const path = '/api/v1/assets/7';
/** Content without repetition. */
const bytes = Buffer.from(Uint32Array.from({ length: Math.ceil(size / 4) }, (_, at) => at).buffer).subarray(0, size);

describe('an object that arrives', () => {
  let folder: Folder;
  let assets: string;
  let twin: BringingTwin;
  let open: OpenPublicServer;
  let copy: ArrivingCopy;

  beforeEach(async () => {
    folder = await Folder.make();
    assets = join(folder.path, 'assets');
    twin = new BringingTwin();
    copy = await ArrivingCopy.begin(twin, { assets, id: '7', bytes });
    open = await openPublicServer([copy.object], { bringing: twin, assets });
  });

  afterEach(async () => {
    await open.leave();
    await folder.remove();
  });

  const get = (range?: string, method?: string) => ask(open.port, path, range ? { range } : {}, method);

  /** A request that follows the copy, and has no response yet. */
  async function waiting(range?: string): Promise<{ readonly answer: Promise<Answer> }> {
    const before = twin.followers('7');
    const answer = get(range);
    answer.catch(() => {});
    await until(() => twin.followers('7') === before + 1);
    // The file is open too.
    await turns(10);
    return { answer };
  }

  /** A connection whose response has begun, and the bytes it has received. */
  async function begun(): Promise<{ readonly socket: Socket; readonly got: () => string }> {
    const socket = await connected(open.port, requestFor(path));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.resume();
    await until(() => text.includes('\r\n\r\n'));
    return { socket, got: () => text };
  }

  const bodyBytes = (text: string): number => text.length - text.indexOf('\r\n\r\n') - 4;

  it('is sent to its viewers as it arrives, without a validator', async () => {
    const viewers = Array.from({ length: 50 }, () => ({ answer: get() }));
    await until(() => twin.followers('7') === 50);
    await turns(100);
    for (let received = 0; received < size; received += 250_000) await copy.grow(Math.min(received, size));
    await copy.finish(open.index);
    for (const { answer } of viewers) {
      const { status, headers, body } = await answer;
      expect([status, body.equals(bytes)]).to.deep.equal([200, true]);
      expect(headers).to.include({
        'x-cache': 'miss',
        'x-data-source': 'local',
        'cache-control': 'max-age=180, must-revalidate',
        'content-length': String(size),
        'content-type': 'video/mp4',
        'accept-ranges': 'bytes',
      });
      expect(headers.etag).to.equal(undefined);
    }
    expect(twin.followers('7')).to.equal(0);
    expect(open.publicServer.activity.bytesSent).to.equal(50 * size);
    const hit = await get();
    expect(hit.headers).to.include({
      etag: '"W1hash7"',
      'x-cache': 'hit',
      'cache-control': 'max-age=31536000, immutable',
    });
    expect(hit.body.equals(bytes)).to.equal(true);
  });

  it('is pending for a viewer whose first byte is here', async () => {
    await copy.grow(1000);
    const { socket, got } = await begun();
    expect(got()).to.match(/\r\nX-Cache: pending\r\n/);
    await until(() => bodyBytes(got()) === 1000);
    await copy.finish(open.index);
    await until(() => bodyBytes(got()) === size);
    socket.destroy();
  });

  it('is a miss for the viewer for whom the download was begun, however much has arrived since', async () => {
    await copy.grow(1000);
    twin.answers.set('7', () => ({ result: 'arriving', arrival: copy.arrival, hasBegun: true }));
    expect((await get('bytes=0-9')).headers['x-cache']).to.equal('miss');
  });

  it('sends ranges as soon as they are here', async () => {
    await copy.grow(2000);
    const early = await get('bytes=500-999');
    expect([early.status, early.headers['content-range'], early.headers['x-cache']]).to.deep.equal([
      206,
      `bytes 500-999/${size}`,
      'pending',
    ]);
    expect(early.body.equals(bytes.subarray(500, 1000))).to.equal(true);
    const ahead = await waiting('bytes=2000-2999');
    await copy.grow(2500);
    await copy.grow(3500);
    const { headers, body } = await ahead.answer;
    expect([headers['x-cache'], body.equals(bytes.subarray(2000, 3000))]).to.deep.equal(['miss', true]);
    expect(twin.asked.map(({ from }) => from)).to.deep.equal([500, 2000]);
    const beyond = await get(`bytes=${size}-`);
    expect([beyond.status, beyond.headers['content-range']]).to.deep.equal([416, `bytes */${size}`]);
    // Its size is in the directory.
    expect(twin.asked.length).to.equal(2);
  });

  it('holds back the last byte until the whole copy is verified', async () => {
    await copy.grow(size);
    const { socket, got } = await begun();
    const last = await waiting('bytes=-1');
    await until(() => bodyBytes(got()) === size - 1);
    await copy.finish(open.index);
    await until(() => bodyBytes(got()) === size);
    expect((await last.answer).body.equals(bytes.subarray(-1))).to.equal(true);
    socket.destroy();
  });

  it('is cut when its download fails, and unavailable for viewers without a response', async () => {
    await copy.grow(size);
    const first = await begun();
    const ahead = await waiting('bytes=-1');
    await copy.fail();
    await restOf(first.socket);
    expect(bodyBytes(first.got())).to.be.lessThan(size);
    const { status, headers, body } = await ahead.answer;
    expect([status, headers['retry-after'], JSON.parse(body.toString()).type]).to.deep.equal([
      502,
      '30',
      'unavailable',
    ]);
    expect((await get()).status).to.equal(502);
    expect(twin.followers('7')).to.equal(0);
  });

  it('continues without the content process if the copy is finished, and is a hit for later viewers', async () => {
    await copy.grow(size - 10);
    const { socket, got } = await begun();
    const ahead = await waiting('bytes=-1');
    await copy.finish(open.index, false);
    await until(() => bodyBytes(got()) === size);
    const { headers, body } = await ahead.answer;
    expect([headers['x-cache'], headers.etag, body.equals(bytes.subarray(-1))]).to.deep.equal([
      'hit',
      '"W1hash7"',
      true,
    ]);
    expect(socket.destroyed).to.equal(false);
    socket.destroy();
  });

  it('is cut when the content process was replaced, and followed again when the next one fetches it', async () => {
    await copy.grow(size - 10);
    const { socket, got } = await begun();
    twin.notify('7', { ...copy.arrival, state: 'failed' });
    await restOf(socket);
    expect(bodyBytes(got())).to.be.lessThan(size);
    const { answer } = await waiting();
    await copy.finish(open.index);
    expect((await answer).body.equals(bytes)).to.equal(true);
  });

  it('is cut when its file has fewer bytes than announced', async () => {
    await copy.grow(2000);
    await copy.shrink(1000);
    const { socket, got } = await begun();
    await restOf(socket);
    expect(bodyBytes(got())).to.equal(1000);
  });

  it('stops following for a viewer that leaves, and continues for the others', async () => {
    await copy.grow(1000);
    const [first, second] = [await begun(), await begun()];
    const third = await waiting('bytes=2000-');
    const leaving = await connected(open.port, requestFor(path).replace('\r\n\r\n', '\r\nRange: bytes=2000-\r\n\r\n'));
    await until(() => twin.followers('7') === 4);
    leaving.resetAndDestroy();
    // A client that only closes its side may still read: it has left when it does not accept what comes.
    first.socket.destroy();
    await until(() => twin.followers('7') === 3);
    await copy.grow(1500);
    await copy.grow(1600);
    await until(() => twin.followers('7') === 2);
    await copy.finish(open.index);
    await until(() => bodyBytes(second.got()) === size);
    expect((await third.answer).body.equals(bytes.subarray(2000))).to.equal(true);
    second.socket.destroy();
  });

  it('waits for a client that does not read, and buffers little for it', async () => {
    const larger = Buffer.alloc(64 * 1024 * 1024, 'abcdefg');
    const other = await ArrivingCopy.begin(twin, { assets, id: '8', bytes: larger });
    putObjects(open.index, [other.object]);
    await other.grow(larger.length - 10);
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => connected(open.port, requestFor('/api/v1/assets/8'))),
    );
    await until(() => twin.followers('8') === 20);
    let sent = -1;
    await until(async () => {
      const before = sent;
      sent = open.publicServer.activity.bytesSent;
      await turns(100);
      return sent > 0 && sent === before;
    });
    // Each has a buffer, and what the sockets of both ends hold.
    expect(process.memoryUsage().arrayBuffers - larger.length).to.be.lessThan(50_000_000);
    expect(sent).to.be.lessThan(20 * larger.length);
    await other.finish(open.index);
    const [first, ...others] = sockets;
    for (const socket of others) socket.destroy();
    expect(first && bodyBytes((await ended(first, larger.length)).toString('latin1'))).to.equal(larger.length);
    first?.destroy();
  });

  /** Everything that a socket receives, up to a body of this many bytes. */
  async function ended(socket: Socket, length: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      received += chunk.length;
    });
    socket.resume();
    await until(() => received > length && Buffer.concat(chunks).indexOf('\r\n\r\n') + 4 + length === received);
    return Buffer.concat(chunks);
  }

  it('keeps a drain waiting, which knows how many bytes are left', async () => {
    await copy.grow(1000);
    const { socket, got } = await begun();
    await until(() => bodyBytes(got()) === 1000);
    const ahead = await waiting('bytes=5000-5999');
    await open.publicServer.close(1, 500);
    open.publicServer.drain(1);
    expect(open.publicServer.activity.drains).to.deep.equal([{ drain: 1, connections: 2, bytesLeft: size - 1000 }]);
    await copy.grow(10_000);
    const { status, headers } = await ahead.answer;
    expect([status, headers.connection]).to.deep.equal([206, 'close']);
    expect(open.publicServer.activity.drains.length).to.equal(1);
    await copy.finish(open.index);
    await until(() => bodyBytes(got()) === size);
    socket.end();
    expect(await open.drained).to.equal(0);
  });

  it('is described by a HEAD, for which nothing is fetched if the directory states size and type', async () => {
    putObjects(open.index, [{ ...copy.object, type: 'image/png' }]);
    const head = await get(undefined, 'HEAD');
    expect([head.status, head.headers['content-length'], head.headers['content-type']]).to.deep.equal([
      200,
      String(size),
      'image/png',
    ]);
    expect([head.headers['x-cache'], head.headers.etag]).to.deep.equal(['miss', undefined]);
    expect(twin.asked).to.deep.equal([]);
    putObjects(open.index, [copy.object]);
    const asked = await get(undefined, 'HEAD');
    expect([asked.status, asked.headers['content-length'], asked.headers['content-type']]).to.deep.equal([
      200,
      String(size),
      'video/mp4',
    ]);
    expect(twin.asked).to.deep.equal([{ id: '7', from: 0 }]);
    await until(() => twin.followers('7') === 0);
  });

  it('answers conditions without fetching', async () => {
    const same = await ask(open.port, path, { 'if-none-match': '*' });
    const other = await ask(open.port, path, { 'if-match': '"W1other"' });
    expect([same.status, other.status, twin.asked]).to.deep.equal([304, 412, []]);
  });

  it('is refused by the settings at the time of its first bytes', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    twin.answers.set('7', async () => {
      await answered;
      return { result: 'arriving', arrival: copy.arrival };
    });
    const later = await waiting();
    open.publicServer.configure({ workerId: 1, buckets: null });
    answer();
    expect((await later.answer).status).to.equal(421);
    await until(() => twin.followers('7') === 0);
  });

  it('is read from the index if it has arrived before the answer, and is undecided if the index lacks it', async () => {
    twin.answers.set('7', () => ({ result: 'here' }));
    const { status, headers } = await get();
    expect([status, headers['retry-after']]).to.deep.equal([503, '5']);
    twin.answers.set('7', async () => {
      await copy.finish(open.index);
      return { result: 'here' };
    });
    expect((await get()).headers['x-cache']).to.equal('hit');
  });

  it('is brought again when its copy turns out to be missing or wrong, before the index knows', async () => {
    const at = copyPath(assets, '7');
    for (const damage of [() => rm(at), () => truncate(at, 10)]) {
      await copy.finish(open.index);
      expect((await get()).headers['x-cache']).to.equal('hit');
      await damage();
      copy = await ArrivingCopy.begin(twin, { assets, id: '7', bytes });
      await copy.grow(100);
      const { headers, body } = await get('bytes=0-9');
      expect([headers['x-cache'], body.equals(bytes.subarray(0, 10))]).to.deep.equal(['pending', true]);
    }
    expect(open.badCopies).to.deep.equal(['7']);
    await rm(at);
    await copy.fail();
    expect((await get()).status).to.equal(502);
  });

  it('counts the uses of copies, and reports them together', async () => {
    await copy.grow(1000);
    await get('bytes=0-9');
    await get('bytes=0-9');
    await copy.finish(open.index);
    for (const range of ['bytes=0-9', 'bytes=10-19']) await get(range);
    await get(undefined, 'HEAD');
    putObjects(open.index, [await folder.object('1', 'a file of the operator')]);
    expect((await ask(open.port, '/api/v1/assets/1')).status).to.equal(200);
    expect(twin.uses).to.deep.equal([]);
    open.publicServer.reportUses();
    expect(twin.uses).to.deep.equal([{ 7: 4 }]);
  });

  it('is sandboxed if a browser might execute it', async () => {
    const svg = await ArrivingCopy.begin(twin, {
      assets,
      id: '9',
      bytes: Buffer.from('<svg/>'),
      type: 'image/svg+xml',
    });
    putObjects(open.index, [svg.object]);
    await svg.grow(3);
    const policy = async (method: string, range = 'bytes=0-1') =>
      (await ask(open.port, '/api/v1/assets/9', { range }, method)).headers['content-security-policy'];
    const arriving = await policy('GET');
    expect(arriving).to.match(/^sandbox; default-src 'none'/);
    await svg.finish(open.index);
    expect([await policy('GET'), await policy('HEAD')]).to.deep.equal([arriving, arriving]);
    await copy.grow(10);
    expect((await get('bytes=0-1')).headers['content-security-policy']).to.equal(undefined);
  });

  it('may be known only by a look-up', async () => {
    const index = memoryIndex({ kind: 'squid', name: 'http://squid.example/graphql' });
    publishObjects(index, []);
    const other = await openPublicServer([], {
      ...{ index, bringing: twin, assets },
      lookUp: async () => ({ result: 'found', object: copy.object, bucketWorkers: { '0:0': [0] } }),
    });
    await copy.grow(100);
    expect((await ask(other.port, path, { range: 'bytes=0-9' })).body.equals(bytes.subarray(0, 10))).to.equal(true);
    await other.leave();
  });

  it('shows in the status', async () => {
    twin.downloadsInProgress = 2;
    const status = async () => JSON.parse((await ask(open.port, '/api/v1/status')).body.toString());
    expect(await status()).to.include({ objectsInCache: 0, storageUsed: 0, downloadsInProgress: 2 });
    await copy.finish(open.index);
    putObjects(open.index, [await folder.object('1', '12345')]);
    expect(await status()).to.include({ objectsInCache: 2, storageUsed: size + 5 });
  });
});
