// Look-ups over the socket: between two ends in one process, and with a content process that is gone, hangs or is replaced.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import type { LookUp } from '../../src/ipc/look-up.ts';
import { type LookUpServer, serveLookUps } from '../../src/ipc/look-up-channel.ts';
import { LookUpClient } from '../../src/ipc/look-up-client.ts';
import { BringingTwin } from '../support/bringing-twin.ts';
import { Folder } from '../support/folder.ts';
import { until } from '../support/until.ts';

const unknown: LookUp = { result: 'unknown' };
const undecided: LookUp = { result: 'undecided' };

const withType = (type: string): DataObject => ({
  ...{ id: '1', path: null, size: 2 ** 53, type, hash: 'W1', verified: null, accepted: true, buckets: ['1:0'] },
});

describe('the look-up channel', () => {
  let folder: Folder;
  let path: string;
  let client: LookUpClient;
  let server: { close(): Promise<void> } | null;
  let asked: string[];
  let bad: string[];
  let damaged: [indexId: string, message: string][];

  beforeEach(async () => {
    folder = await Folder.make();
    path = join(folder.path, 'content.sock');
    client = new LookUpClient(path, { timeoutMs: 60_000 });
    server = null;
    [asked, bad, damaged] = [[], [], []];
  });

  afterEach(async () => {
    client.close();
    await server?.close();
    await folder.remove();
  });

  async function serve(lookUp: (id: string) => Promise<LookUp> = async () => unknown): Promise<LookUpServer> {
    const lookUps = {
      lookUp: (id: string) => {
        asked.push(id);
        return lookUp(id);
      },
      reportBadCopy: (id: string) => void bad.push(id),
      reportDamage: (indexId: string, message: string) => void damaged.push([indexId, message]),
    };
    const own = await serveLookUps(path, lookUps, new BringingTwin());
    server = own;
    return own;
  }

  /** A content process whose behaviour on a connection is given by the test. */
  async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
    const sockets = new Set<Socket>();
    const own = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onConnection(socket);
    }).listen(path);
    await new Promise((resolve) => own.once('listening', resolve));
    const close = () =>
      new Promise<void>((resolve) => {
        own.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    server = { close };
    return own;
  }

  it('matches each answer to its look-up, in any order', async () => {
    const answers = new Map<string, (answer: LookUp) => void>();
    await serve((id) => new Promise((resolve) => answers.set(id, resolve)));
    const found: LookUp = { result: 'found', object: withType('video/mp4'), bucketWorkers: { '1:0': [3] } };
    const [first, second] = [client.lookUp('1'), client.lookUp('2')];
    await until(() => answers.size === 2);
    answers.get('2')?.(undecided);
    expect(await second).to.deep.equal(undecided);
    answers.get('1')?.(found);
    expect(await first).to.deep.equal(found);
  });

  it('asks once for concurrent look-ups of one object, and again later', async () => {
    await serve();
    const answers = await Promise.all(Array.from({ length: 50 }, () => client.lookUp('7')));
    expect([answers.length, answers[49], asked]).to.deep.equal([50, unknown, ['7']]);
    await client.lookUp('7');
    expect(asked).to.deep.equal(['7', '7']);
  });

  it('carries reports of bad copies', async () => {
    await serve();
    client.reportBadCopy('5');
    await until(() => bad.length === 1);
    expect(bad).to.deep.equal(['5']);
  });

  it('carries reports of a damaged index, in bounded length', async () => {
    await serve();
    client.reportDamage('index-1', 'wrong bytes');
    client.reportDamage('index-1', 'x'.repeat(100_000));
    await until(() => damaged.length === 2);
    expect(damaged).to.deep.equal([
      ['index-1', 'wrong bytes'],
      ['index-1', 'x'.repeat(200)],
    ]);
  });

  it('has a socket that only its user can open, and replaces one left by an earlier process', async () => {
    writeFileSync(path, '');
    writeFileSync(`${path}~`, '');
    await serve();
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(existsSync(`${path}~`)).to.equal(false);
    expect(await client.lookUp('1')).to.deep.equal(unknown);
  });

  it('is undecided at once without a content process, and connects once there is one', async () => {
    expect(await client.lookUp('1')).to.deep.equal(undecided);
    await serve();
    await until(async () => (await client.lookUp('1')).result === 'unknown');
  });

  it('connects to a replaced content process; look-ups sent to the old one are undecided', async () => {
    await serve();
    expect(await client.lookUp('1')).to.deep.equal(unknown);
    const first = server;
    await serve(() => new Promise(() => {}));
    const other = new LookUpClient(path, { timeoutMs: 60_000 });
    const waiting = other.lookUp('2');
    await until(() => asked.includes('2'));
    await first?.close();
    // Closing the first one late must not remove the path of the second.
    const second = server;
    await serve();
    await second?.close();
    expect(await waiting).to.deep.equal(undecided);
    await until(async () => (await client.lookUp('3')).result === 'unknown');
    await until(async () => (await other.lookUp('4')).result === 'unknown');
    other.close();
  });

  it('waits no longer than its timeout, and then fails every look-up to a process that hangs', async () => {
    await listen(() => {});
    const hasty = new LookUpClient(path, { timeoutMs: 50 });
    const first = hasty.lookUp('1');
    expect(await first).to.deep.equal(undecided);
    const second = hasty.lookUp('2').then(() => 'second');
    // Already decided: it wins the race against a promise that takes a few more steps.
    const later = Array.from({ length: 5 }).reduce<Promise<string>>((steps) => steps.then(), Promise.resolve('later'));
    expect(await Promise.race([second, later])).to.equal('second');
  });

  it('keeps the connection when one look-up takes too long and others are answered', async () => {
    await serve((id) => (id === '1' ? new Promise(() => {}) : Promise.resolve(unknown)));
    const hasty = new LookUpClient(path, { timeoutMs: 1000 });
    let isOver = false;
    const slow = hasty.lookUp('1').finally(() => {
      isOver = true;
    });
    while (!isOver) expect(await hasty.lookUp('2')).to.deep.equal(unknown);
    expect(await slow).to.deep.equal(undecided);
    expect(await hasty.lookUp('3')).to.deep.equal(unknown);
    hasty.close();
  });

  it('is undecided at once beyond the limit of waiting objects', async () => {
    let connections = 0;
    await listen(() => {
      connections += 1;
    });
    const waiting = Array.from({ length: 1000 }, (_, at) => client.lookUp(String(at)));
    expect(await client.lookUp('1000')).to.deep.equal(undecided);
    await until(() => connections === 1);
    client.close();
    expect(new Set((await Promise.all(waiting)).map(({ result }) => result))).to.deep.equal(new Set(['undecided']));
  });

  it('buffers few reports for a process that does not read', async () => {
    let received = 0;
    const connection = new Promise<Socket>((resolve) => void listen((socket) => resolve(socket.pause())));
    await until(() => existsSync(path));
    for (let at = 0; at < 20_000; at += 1) {
      client.reportBadCopy('1'.repeat(500));
      if (at % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.lookUp('1')).to.deep.equal(undecided);
    client.close();
    const socket = await connection;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect(received).to.be.greaterThan(0).and.lessThan(2_000_000);
  });

  it('disconnects from a content process that violates the protocol, and reconnects', async () => {
    for (const nonsense of ['nonsense\n', 'null\n', 'x'.repeat(100_000)]) {
      const own = await listen((socket) => void socket.write(nonsense));
      expect(await client.lookUp('1'), nonsense.slice(0, 9)).to.deep.equal(undecided);
      own.close();
      await server?.close();
    }
    await serve();
    await until(async () => (await client.lookUp('1')).result === 'unknown');
  });

  it('disconnects a server process that violates the protocol, and serves the others', async () => {
    await serve();
    for (const nonsense of ['nonsense\n', 'null\n', 'x'.repeat(100_000)]) {
      const socket = connect(path);
      socket.on('error', () => {});
      socket.write(nonsense);
      await new Promise((resolve) => socket.once('close', resolve));
    }
    expect(await client.lookUp('1')).to.deep.equal(unknown);
  });

  it('lets a thousand look-ups of one server process wait, and disconnects one that does not read its answers', async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    await serve(async () => {
      await gate;
      return { result: 'found', object: withType('x'.repeat(10_000)), bucketWorkers: {} };
    });
    const socket = connect(path).pause();
    socket.on('error', () => {});
    for (let seq = 0; seq < 1500; seq += 1) socket.write(`{"seq":${seq},"id":"${seq}"}\n`);
    socket.write('{"bad":"last"}\n');
    await until(() => bad.length === 1);
    expect(asked.length).to.equal(1000);
    open();
    expect(await client.lookUp('1')).to.deep.include({ result: 'found' });
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    await new Promise((resolve) => socket.once('close', resolve).resume());
    expect(received).to.be.lessThan(2_000_000);
  });

  it('answers a look-up whose answer would be too long: undecided', async () => {
    await serve(async () => ({ result: 'found', object: withType('x'.repeat(100_000)), bucketWorkers: {} }));
    expect(await client.lookUp('1')).to.deep.equal(undecided);
  });
});
