// The server of the operator API: its address, its limits, and how it ends.
import { EventEmitter, once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import { pino } from 'pino';
import { type ListenSettings, listen, type OperatorListener } from '../../../src/operator/http/listen.ts';
import { operatorSettings, startOperatorSide } from '../../support/harness.ts';
import { until } from '../../support/until.ts';

const log = pino({ level: 'silent' });

describe('the operator API server', () => {
  let listener: OperatorListener;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await listener?.close(0);
  });

  const start = async (app: Koa, changed: Partial<ListenSettings> = {}) => {
    listener = await listen(app, { ...operatorSettings, ...changed }, log);
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

  it('reports its URL, also for port 0 and an IPv6 address', async () => {
    await start(new Koa());
    expect(listener.url).to.equal(`http://127.0.0.1:${listener.port}`);
    expect(listener.port).to.be.above(0);
    await listener.close(0);
    await start(new Koa(), { host: '::1' });
    expect(listener.url).to.equal(`http://[::1]:${listener.port}`);
  });

  it('reports a port in use in one line', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const error: unknown = await listen(new Koa(), { ...operatorSettings, port }, log).catch(
      (thrown: unknown) => thrown,
    );
    other.close();
    expect(error).to.have.property(
      'message',
      `The operator API cannot listen on 127.0.0.1:${port}: the port is in use: stop the other process, or set operatorApi.port`,
    );
  });

  it('closes connections of clients that send no complete request in time', async () => {
    await start(new Koa(), { headersTimeoutMs: 200, requestTimeoutMs: 200 });
    const silent = await socket();
    const halting = await socket();
    halting.write('POST /api/v1/stop-api HTTP/1.1\r\nHost: localhost\r\n');
    const answers = await Promise.all([restOf(silent), restOf(halting)]);
    expect(answers[1]).to.match(/^HTTP\/1.1 408 /);
  });

  it('answers a client that has closed its side, and then closes the connection', async () => {
    const app = new Koa();
    app.use(async (ctx) => {
      // Its end has been seen before anything is answered.
      if (!ctx.socket.readableEnded) await once(ctx.socket, 'end');
      ctx.body = `answer ${ctx.path}`;
    });
    await start(app);
    const one = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(one);
    one.end('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await restOf(one)).match(/answer \/\d/g)).to.deep.equal(['answer /1', 'answer /2']);
    // None is left that its end would have to wait for.
    await listener.close(60_000);
  });

  it('answers a head that is too long with 431, and goes on', async () => {
    const operator = await startOperatorSide({ settings: { maxHeaderBytes: 20_000 } });
    const answer = operator.raw(`GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`);
    expect(await answer).to.match(/^HTTP\/1.1 431 /);
    const next = await operator.command('stop-api');
    await operator.close();
    expect(next.status).to.equal(200);
  });

  it('limits connections: the oldest idle one makes room', async () => {
    const app = new Koa();
    const requests = new EventEmitter();
    app.use((ctx) => {
      requests.emit('request');
      if (ctx.path === '/wait') return new Promise(() => {});
      ctx.body = 'done';
    });
    await start(app, { maxConnections: 2 });
    const busy = await socket();
    busy.write('GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(requests, 'request');
    const silent = await socket();
    const asking = await socket();
    await once(silent, 'close');
    asking.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(await restOf(asking)).to.match(/done$/);
    expect(busy.destroyed).to.equal(false);
  });

  it('closes connections of clients that do not read their answers to make room', async () => {
    const app = new Koa();
    app.use((ctx) => {
      ctx.body = ctx.path === '/much' ? Buffer.alloc(30_000_000) : 'done';
    });
    await start(app, { maxConnections: 1 });
    const deaf = await socket();
    deaf.pause();
    deaf.write('GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until(() => deaf.readableLength > 0);
    const asking = await socket();
    asking.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(await restOf(asking)).to.match(/done$/);
  });

  it('refuses new connections while all connections have pending answers', async () => {
    const app = new Koa();
    const requests = new EventEmitter();
    app.use(() => {
      requests.emit('request');
      return new Promise(() => {});
    });
    await start(app, { maxConnections: 1 });
    const busy = await socket();
    busy.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(requests, 'request');
    await once(await socket(), 'close');
    expect(busy.destroyed).to.equal(false);
  });

  it('sends the pending answer before it closes, and accepts no further request', async () => {
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

  it('answers pipelined requests before it refuses, and none after the answer that closes a connection', async () => {
    const app = new Koa();
    const begun: string[] = [];
    const finish = new Map<string, () => void>();
    app.use(async (ctx) => {
      begun.push(ctx.path);
      await new Promise<void>((resolve) => finish.set(ctx.path, resolve));
      ctx.body = ctx.path;
    });
    await start(app);
    const client = await socket();
    const ask = (...paths: string[]) =>
      client.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''));
    ask('/1', '/2');
    await until(() => begun.length === 2);
    await listener.refuse();
    ask('/3');
    await until(() => begun.length === 3);
    finish.get('/3')?.();
    // The answer that ends the connection is made, though it is not its turn yet: what comes now is too late.
    ask('/4');
    const answer = restOf(client);
    finish.get('/2')?.();
    finish.get('/1')?.();
    const text = await answer;
    expect(text.match(/^\/\d/gm)).to.deep.equal(['/1', '/2', '/3']);
    expect(text.match(/^Connection: close/gim)).to.have.length(1);
    expect(begun).to.deep.equal(['/1', '/2', '/3']);
  });

  it('closes connections that are still open at the deadline', async () => {
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

  it('releases pipelined requests of a closed connection', async () => {
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
    // A mere end would leave the answers owed.
    one.resetAndDestroy();
    await until(() => over.length === 3);
    expect(over).to.have.members(paths);
  });
});
