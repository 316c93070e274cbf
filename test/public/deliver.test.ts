// Bytes on their way: whole, in part, given up by the client, or of a file that changes under them.
import {
  appendFile,
  mkdir,
  open as openFile,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { Folder } from '../support/folder.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { publishObjects, putObjects } from '../support/publish-objects.ts';
import { until } from '../support/until.ts';
import { ask, closed, connected, requestFor, restOf } from '../support/viewer.ts';

const size = 24 * 1024 * 1024;
const path = '/api/v1/assets/1';

describe('the delivery of an object', () => {
  let folder: Folder;
  let open: OpenPublicServer;
  let file: string;

  beforeEach(async () => {
    folder = await Folder.make();
    const big = await folder.object('1', size);
    file = big.path ?? '';
    open = await openPublicServer([big, await folder.object('2', 'small')]);
  });

  afterEach(async () => {
    await open.leave();
    await folder.remove();
  });

  /** A request whose answer has begun, and is not read on. */
  async function begun(): Promise<Socket> {
    const socket = await connected(open.port, requestFor(path));
    await new Promise((resolve) => socket.once('readable', resolve));
    return socket;
  }

  /** Files of the folder that this process has open. */
  async function openHere(): Promise<number> {
    const links = await readdir('/proc/self/fd');
    const targets = await Promise.all(links.map((link) => readlink(`/proc/self/fd/${link}`).catch(() => '')));
    return targets.filter((target) => target.startsWith(folder.path)).length;
  }

  /** A change that leaves size and mtime as they were; made again until the clock of the file system has ticked. */
  async function disguised(target: string, change: () => Promise<void>): Promise<void> {
    const { ctimeMs } = await stat(target);
    do {
      await change();
      await utimes(target, 1, 1);
    } while ((await stat(target)).ctimeMs === ctimeMs);
  }

  it('is byte for byte what the file holds', async () => {
    const content = Buffer.alloc(1_000_003, 'abcdefg');
    putObjects(open.index, [await folder.object('3', content)]);
    const whole = await ask(open.port, '/api/v1/assets/3');
    expect(whole.body.equals(content)).to.equal(true);
    const part = await ask(open.port, '/api/v1/assets/3', { range: 'bytes=300000-700000' });
    expect(part.body.equals(content.subarray(300_000, 700_001))).to.equal(true);
    expect(open.publicServer.activity.bytesSent).to.equal(1_000_003 + 400_001);
    expect(open.publicServer.activity.requests).to.equal(2);
  });

  it('sends an empty object', async () => {
    putObjects(open.index, [await folder.object('3', '')]);
    const { status, headers, body } = await ask(open.port, '/api/v1/assets/3');
    expect([status, headers['content-length'], body.length]).to.deep.equal([200, '0', 0]);
  });

  it('lets go of the file when clients go away, however many share it', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, begun));
    expect(await openHere()).to.equal(20);
    for (const socket of sockets.slice(1)) socket.destroy();
    await open.publicServer.close(1, 500);
    open.publicServer.drain(1);
    await until(async () => open.publicServer.activity.drains[0]?.connections === 1 && (await openHere()) === 1);
    const [last] = sockets;
    expect(last && (await restOf(last)).length).to.be.greaterThan(size);
    expect(await open.drained).to.equal(0);
    await until(async () => (await openHere()) === 0);
  });

  it('cuts the response when the file is shorter than its Content-Length', async () => {
    const socket = await begun();
    await truncate(file, size - 1);
    const answer = await restOf(socket);
    expect(answer.length - answer.indexOf('\r\n\r\n') - 4).to.equal(size - 1);
  });

  it('cuts the response when the file is written during it', async () => {
    const socket = await begun();
    const handle = await openFile(file, 'r+');
    await handle.write('x', 0);
    await handle.close();
    expect((await restOf(socket)).length).to.be.lessThan(size);
  });

  it('finishes a file that is removed during the response', async () => {
    const socket = await begun();
    await rm(file);
    const { headers } = await ask(open.port, '/api/v1/assets/2', { connection: 'close' });
    expect(headers.connection).to.equal('close');
    await open.publicServer.close(1, 500);
    open.publicServer.drain(1);
    expect((await restOf(socket)).length).to.be.greaterThan(size);
  });

  it('does not serve a file of another size, and reports it once', async () => {
    await appendFile(file, 'more');
    const statuses = await Promise.all([1, 2, 3].map(async () => (await ask(open.port, path)).status));
    expect(statuses).to.deep.equal([404, 404, 404]);
    expect(open.badCopies).to.deep.equal(['1']);
  });

  it('does not serve a missing file, and reports it', async () => {
    await rm(file);
    expect((await ask(open.port, path)).status).to.equal(404);
    expect(open.badCopies).to.deep.equal(['1']);
  });

  it('does not follow a link that has replaced a file, and reports it', async () => {
    const { path: at = null } = await folder.object('other', size);
    await rm(file);
    await symlink(at ?? '', file);
    expect((await ask(open.port, path)).status).to.equal(404);
    expect(open.badCopies).to.deep.equal(['1']);
  });

  it('does not follow a link that has taken the place of a folder on the way', async () => {
    const [inner, other] = [join(folder.path, 'films'), join(folder.path, 'other')];
    await Promise.all([mkdir(inner), mkdir(other)]);
    const large = await folder.object('films/3', size);
    const small = await folder.object('films/4', 'inside');
    await folder.object('other/3', size);
    await folder.object('other/4', 'secret');
    const objects = [
      { ...large, id: '3' },
      { ...small, id: '4' },
    ];
    publishObjects(open.index, objects);
    expect((await ask(open.port, '/api/v1/assets/3', { range: 'bytes=0-1' })).status).to.equal(206);
    await rename(inner, `${inner}-away`);
    await symlink(other, inner);
    for (const id of ['3', '4']) expect((await ask(open.port, `/api/v1/assets/${id}`)).status, id).to.equal(404);
    expect(open.badCopies).to.deep.equal(['3', '4']);
  });

  it('serves a touched file without a validator until it has been looked at again', async () => {
    await utimes(file, 1, 1);
    const { headers } = await ask(open.port, path, { range: 'bytes=0-1' });
    expect([headers.etag, headers['content-range']]).to.deep.equal([undefined, `bytes 0-1/${size}`]);
    expect(open.badCopies).to.deep.equal(['1']);
    const looked = await folder.object('1', size);
    putObjects(open.index, [looked]);
    expect((await ask(open.port, path, { range: 'bytes=0-1' })).headers.etag).to.equal('"W1hash1"');
  });

  it('serves a file overwritten in place without a validator, though its size and time are as they were', async () => {
    for (const [id, content] of [
      ['1', Buffer.alloc(size, 1)],
      ['2', 'SMALL'],
    ] as const) {
      const target = join(folder.path, id);
      await utimes(target, 1, 1);
      putObjects(open.index, [await folder.describe(id)]);
      await disguised(target, () => writeFile(target, content));
      const { headers } = await ask(open.port, `/api/v1/assets/${id}`, { range: 'bytes=0-1' });
      expect([headers.etag, headers['cache-control']], id).to.deep.equal([undefined, 'max-age=180, must-revalidate']);
    }
    expect(open.badCopies).to.deep.equal(['1', '2']);
  });

  it('cuts the response when the file is overwritten and its mtime restored', async () => {
    await utimes(file, 1, 1);
    putObjects(open.index, [await folder.describe('1')]);
    const socket = await begun();
    const handle = await openFile(file, 'r+');
    await disguised(file, async () => void (await handle.write('x', 0)));
    await handle.close();
    expect((await restOf(socket)).length).to.be.lessThan(size);
  });

  it('serves no object from memory after the directory has another file for it', async () => {
    expect((await ask(open.port, '/api/v1/assets/2')).body.toString()).to.equal('small');
    const { path: at, ...rest } = await folder.object('2', 'other');
    await writeFile(`${at}-new`, 'novel');
    putObjects(open.index, [{ ...rest, path: `${at}-new`, verified: null }]);
    expect((await ask(open.port, '/api/v1/assets/2')).body.toString()).to.equal('novel');
  });

  it('serves from memory only the version of the file that the directory has now', async () => {
    const small = () => ask(open.port, '/api/v1/assets/2');
    expect((await small()).headers.etag).to.equal('"W1hash2"');
    const larger = await folder.object('2', 'larger than before', { hash: 'W1other' });
    // Not hashed yet, then hashed.
    putObjects(open.index, [{ ...larger, verified: null }]);
    let { body, headers } = await small();
    expect([body.toString(), headers.etag]).to.deep.equal(['larger than before', undefined]);
    putObjects(open.index, [larger]);
    ({ body, headers } = await small());
    expect([body.toString(), headers.etag]).to.deep.equal(['larger than before', '"W1other"']);
    expect(open.badCopies).to.deep.equal([]);
  });

  it('serves from memory without a validator as soon as the directory no longer calls the file verified', async () => {
    const { headers } = await ask(open.port, '/api/v1/assets/2');
    expect(headers.etag).to.equal('"W1hash2"');
    putObjects(open.index, [{ ...(await folder.describe('2')), verified: null }]);
    const after = (await ask(open.port, '/api/v1/assets/2')).headers;
    expect([after.etag, after['cache-control']]).to.deep.equal([undefined, 'max-age=180, must-revalidate']);
  });

  it('serves nothing from memory that was removed from the directory, or that the settings no longer cover', async () => {
    const small = async () => (await ask(open.port, '/api/v1/assets/2')).status;
    expect(await small()).to.equal(200);
    open.publicServer.configure({ workerId: 0, buckets: ['7:7'] });
    expect(await small()).to.equal(421);
    open.publicServer.configure({ workerId: 0, buckets: null });
    expect(await small()).to.equal(200);
    open.index.transact((tx) => tx.removeObject('2'));
    expect(await small()).to.equal(404);
  });

  it('answers 500 without inner detail when the file cannot be read', async () => {
    putObjects(open.index, [await folder.object('3', 'x', { path: `${folder.path}/\0` })]);
    const { status, body } = await ask(open.port, '/api/v1/assets/3');
    expect([status, JSON.parse(body.toString())]).to.deep.equal([
      500,
      { type: 'internal', message: 'The node could not read its copy' },
    ]);
  });

  it('does not mind a client that leaves before its answer', async () => {
    for (let times = 0; times < 50; times += 1) (await connected(open.port, requestFor(path))).destroy();
    const half = await connected(open.port, requestFor(path));
    half.end();
    await closed(half);
    expect((await ask(open.port, '/api/v1/assets/2')).status).to.equal(200);
  });
});
