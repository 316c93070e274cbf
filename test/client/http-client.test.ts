// The client of the operator API: against the real API, and against what is not one.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { codeOf, NotReachable, TimedOut } from '../../src/base/errors.ts';
import { type ClientOptions, createClient } from '../../src/client/http-client.ts';
import { bearer, type OperatorSide, signingKey, startOperatorSide } from '../support/harness.ts';

describe('the client of the operator API', () => {
  let operator: OperatorSide;
  before(async () => {
    operator = await startOperatorSide();
  });
  after(() => operator.close());

  const client = (options: Partial<ClientOptions> = {}) =>
    createClient({ url: operator.url, secret: signingKey, timeoutMs: 60_000, ...options });

  it('sends commands and reads the state', async () => {
    const { status, document } = await client().command('set-worker', { workerId: 4 });
    expect(status).to.equal(200);
    expect(document).to.deep.include({ settings: { workerId: 4, buckets: null } });
    expect((await client().state()).document).to.deep.equal(document);
  });

  it('returns refusals unchanged', async () => {
    const { status, document } = await client().command('start-api');
    expect(status).to.equal(409);
    expect(document).to.include({ detail: 'Already started' });
    const stranger = client({ secret: Buffer.from('a secret that is not that of the node') });
    expect((await stranger.state()).status).to.equal(401);
  });

  it('signs each request separately, so that the same command can be sent twice at once', async () => {
    const twice = [client().command('set-buckets', {}), client().command('set-buckets', {})];
    expect((await Promise.all(twice)).map(({ status }) => status)).to.deep.equal([200, 200]);
  });

  it('binds a short body by its value and a long one by its hash', async () => {
    const small = await client({ sub: 'alice', now: () => 1_000_500 }).signRequest('POST', 'set-worker', {
      workerId: 1,
    });
    const { jti, ...claims } = decodeJwt(small.headers.authorization?.split(' ')[1] ?? '');
    expect(jti).to.match(/^[\w-]{36}$/);
    expect(claims).to.deep.equal({
      reqUrl: '/api/v1/set-worker',
      reqBody: { workerId: 1 },
      iat: 1000,
      exp: 1060,
      sub: 'alice',
    });
    const buckets = Array.from({ length: 5000 }, (_, index) => `12:${index}`);
    const large = await client().signRequest('POST', 'set-buckets', { buckets });
    expect(large.headers.authorization?.length).to.be.below(1000);
    expect((await client().command('set-buckets', { buckets })).document).to.deep.include({
      settings: { workerId: 4, buckets },
    });
  });

  it('sends an access token where it has one', async () => {
    const reader = client({ secret: undefined, token: await operator.access({ scope: 'read' }) });
    expect((await reader.state()).status).to.equal(200);
    expect((await reader.command('stop-api')).status).to.equal(403);
  });

  it('accepts a URL with a trailing slash, and a host name', async () => {
    for (const url of [`${operator.url}/`, `http://localhost:${operator.listener.port}`]) {
      expect((await client({ url }).state()).status).to.equal(200);
    }
  });

  describe('where something else answers', () => {
    let server: Server;
    let handler: (url: string) => { status: number; body: string; location?: string } | null;
    let url: string;
    const seen: string[] = [];
    before(async () => {
      server = createServer(({ url: path = '' }, response) => {
        seen.push(path);
        const answer = handler(path);
        if (answer === null) return;
        if (answer.location) response.setHeader('Location', answer.location);
        response.writeHead(answer.status).end(answer.body);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
    });
    after(() => {
      server.closeAllConnections();
      server.close();
    });

    it('returns only the status if the answer is not JSON', async () => {
      handler = () => ({ status: 502, body: '<html>' });
      expect(await client({ url }).state()).to.deep.equal({ status: 502, document: null });
    });

    it('does not follow redirects, which would leak its token', async () => {
      seen.length = 0;
      handler = () => ({ status: 307, body: '', location: '/elsewhere' });
      expect((await client({ url }).command('stop-api')).status).to.equal(307);
      expect(seen).to.deep.equal(['/api/v1/stop-api']);
    });

    it('fails on an answer of another protocol', async () => {
      const stranger = createNetServer((socket) =>
        socket.once('data', () => socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')),
      );
      try {
        await once(stranger.listen(0, '127.0.0.1'), 'listening');
        const { port } = stranger.address() as AddressInfo;
        const answer = client({ url: `http://127.0.0.1:${port}` }).state();
        const error: unknown = await answer.catch((thrown: unknown) => thrown);
        expect(error).to.be.instanceOf(NotReachable);
      } finally {
        stranger.close();
      }
    });

    it('reports a timeout', async () => {
      handler = () => null;
      const error: unknown = await client({ url, timeoutMs: 50 })
        .state()
        .catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(TimedOut);
      expect(error).to.have.property('message', `No answer from ${url} within 50 ms`);
    });
  });

  it('waits up to its timeout, even beyond that of fetch', async () => {
    const held: ServerResponse[] = [];
    const late = createServer((_, response) => void held.push(response));
    const patience = await shortenFetch(10);
    try {
      late.listen(0, '127.0.0.1');
      await once(late, 'listening');
      const address = late.address();
      const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
      const answer = client({ url }).command('stop-api');
      await once(late, 'request');
      const error = await fetch(url).catch((thrown: unknown) => thrown);
      expect(error).to.have.nested.property('cause.code', 'UND_ERR_HEADERS_TIMEOUT');
      held[0]?.end('{}');
      expect(await answer).to.deep.equal({ status: 200, document: {} });
    } finally {
      patience.restore();
      late.closeAllConnections();
      late.close();
    }
  });

  it('reports a refused connection and an unknown host', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const address = gone.address();
    const port = typeof address === 'object' ? address?.port : '';
    gone.close();
    await once(gone, 'close');
    for (const [url, words] of [
      [`http://127.0.0.1:${port}`, 'ECONNREFUSED'],
      [`http://localhost:${port}`, 'ECONNREFUSED'],
      ['http://no-such-host.invalid', 'no-such-host.invalid'],
    ]) {
      const error: unknown = await client({ url })
        .state()
        .catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(NotReachable);
      expect(error).to.have.property('message').that.includes(words);
    }
  });

  it('is not the only one: the documented samples run as they stand', async () => {
    await client().command('start-api');
    const stopApi = `${operator.url}/api/v1/stop-api`;
    const response = await fetch(stopApi, { method: 'POST', headers: bearer(await operator.access()) });
    expect(await response.json()).to.include({ publicApi: 'stopped' });
    await client().command('start-api');
    const token = await operator.access();
    const sample = ['-sS', '-X', 'POST', stopApi, '-H', `Authorization: Bearer ${token}`];
    // Where there is no curl, what it would have sent.
    const bytes = `POST /api/v1/stop-api HTTP/1.1\r\nHost: localhost:3335\r\nUser-Agent: curl/8\r\nAccept: */*\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`;
    const answer = await promisify(execFile)('curl', sample)
      .then(({ stdout }) => stdout)
      .catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error;
        return operator.raw(bytes);
      });
    expect(answer).to.include('"publicApi":"stopped"');
  });
});

/** Shortens the header timeout of `fetch`, five minutes by default; node does not export its dispatcher. */
async function shortenFetch(headersTimeout: number): Promise<{ restore(): void }> {
  // Loads it.
  await fetch('data:,');
  // Node 26 has a second one, and keeps the first for those who know only that.
  const keys = [2, 1].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));
  const key = keys.find((one) => Reflect.has(globalThis, one)) ?? Symbol();
  const usual: object = Reflect.get(globalThis, key);
  Reflect.set(globalThis, key, Reflect.construct(usual.constructor, [{ headersTimeout }]));
  return { restore: () => void Reflect.set(globalThis, key, usual) };
}
