// The server of the operator API: its address, its limits, and how it ends.
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import { pino } from 'pino';
import { type ListenSettings, listen, type OperatorListener } from '../../src/operator/listen.ts';
import { until } from '../support/until.ts';
import { settings, startRig } from './rig.ts';

const log = pino({ level: 'silent' });

describe('the operator API server', () => {
  let listener: OperatorListener;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await listener?.close(0);
  });

  const start = async (app: Koa, changed: Partial<ListenSettings> = {}) => {
    listener = await listen(app, { ...settings, ...changed }, log);
  };
  const socket = async (): Promise<Socket> => {
    const one = connect(listener.port, '127.0.0.1');
    sockets.push(one);
    one.on('error', () => {});
    await once(one, 'connect');
    return one;
  };
  /** All that comes until the other side ends. */
  const restOf = async (from: Socket): Promise<string> => {
    let text = '';
    from.on('data', (chunk) => {
      text += chunk;
    });
    await once(from, 'close');
    return text;
  };

  it('says where it is, also where the port was left open and the address is IPv6', async () => {
    await start(new Koa());
    expect(listener.url).to.equal(`http://127.0.0.1:${listener.port}`);
    expect(listener.port).to.be.above(0);
    await listener.close(0);
    await start(new Koa(), { host: '::1' });
    expect(listener.url).to.equal(`http://[::1]:${listener.port}`);
  });

  it('says in one line that the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const error: unknown = await listen(new Koa(), { ...settings, port }, log).catch((thrown: unknown) => thrown);
    other.close();
    expect(error).to.have.property('message', `The operator API cannot listen on 127.0.0.1:${port}: the port is taken`);
  });

  it('gives up on clients that do not say what they want', async () => {
    await start(new Koa(), { headersTimeoutMs: 200, requestTimeoutMs: 200 });
    const silent = await socket();
    const halting = await socket();
    halting.write('POST /api/v1/stop-api HTTP/1.1\r\nHost: localhost\r\n');
    const answers = await Promise.all([restOf(silent), restOf(halting)]);
    expect(answers[1]).to.match(/^HTTP\/1.1 408 /);
  });

  it('answers a head that is too long with 431, and goes on', async () => {
    const rig = await startRig({ settings: { maxHeaderBytes: 20_000 } });
    const answer = rig.raw(`GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`);
    expect(await answer).to.match(/^HTTP\/1.1 431 /);
    const next = await rig.command('stop-api');
    await rig.close();
    expect(next.status).to.equal(200);
  });

  it('takes no more connections than it may: who asks for nothing gives way, who is being answered does not', async () => {
    const app = new Koa();
    const waiting: (() => void)[] = [];
    app.use(async (ctx) => {
      if (ctx.path === '/slow') await new Promise<void>((resolve) => waiting.push(resolve));
      ctx.body = 'done';
    });
    await start(app, { maxConnections: 2 });
    const ask = (from: Socket, path: string) => from.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const answered = await socket();
    ask(answered, '/slow');
    await until(() => waiting.length === 1);
    const silent = await socket();
    const third = await socket();
    await once(silent, 'close');
    ask(third, '/');
    expect(String((await once(third, 'data'))[0])).to.match(/done$/);
    ask(third, '/slow');
    await until(() => waiting.length === 2);
    const fourth = await socket();
    await once(fourth, 'close');
    for (const finish of waiting) finish();
    const answers = await Promise.all([answered, third].map((one) => once(one, 'data')));
    for (const [answer] of answers) expect(String(answer)).to.match(/done$/);
  });

  it('lets the answer under way out before it ends, and no further request in', async () => {
    const app = new Koa();
    const underWay = new EventEmitter();
    let finish = () => {};
    app.use(async (ctx) => {
      underWay.emit('request');
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      ctx.body = 'done';
    });
    await start(app);
    const client = await socket();
    const idle = await socket();
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(underWay, 'request');
    const answer = restOf(client);
    const closed = listener.close(5000);
    await once(idle, 'close');
    const late = connect(listener.port, '127.0.0.1');
    const [refusal] = await once(late, 'error');
    finish();
    await closed;
    expect(refusal).to.have.property('code', 'ECONNREFUSED');
    expect(await answer)
      .to.match(/Connection: close/i)
      .and.to.match(/done$/);
  });

  it('cuts at its end what does not come to one', async () => {
    const app = new Koa();
    const requests = new EventEmitter();
    app.use(() => {
      requests.emit('request');
      return new Promise(() => {});
    });
    await start(app);
    const client = await socket();
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(requests, 'request');
    const cut = once(client, 'close');
    await listener.close(50);
    await cut;
  });

  it('lets go of requests that were sent ahead on a connection that has gone', async () => {
    const begun: string[] = [];
    const over: string[] = [];
    const app = new Koa();
    app.use(async (ctx) => {
      begun.push(ctx.path);
      await new Promise<void>((resolve) => {
        ctx.res.once('close', () => {
          over.push(ctx.path);
          resolve();
        });
      });
    });
    await start(app);
    const one = await socket();
    const paths = ['/1', '/2', '/3'];
    one.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''));
    await until(() => begun.length === 3);
    one.destroy();
    await until(() => over.length === 3);
    expect(over).to.have.members(paths);
  });
});
