// The public API as players and monitors meet it: every route, method and status, and what it makes of strange requests.
import { expect } from 'chai';
import { Folder } from '../support/folder.ts';
import { type OpenPublicServer, openPublicServer } from '../support/open-public-server.ts';
import { ask, closed, connected, restOf } from '../support/viewer.ts';
import { withJumpingClock } from '../support/wall-clock.ts';

describe('the public API', () => {
  let folder: Folder;
  let open: OpenPublicServer;

  before(async () => {
    folder = await Folder.make();
    open = await openPublicServer([
      await folder.object('42', '0123456789', { type: 'video/mp4' }),
      await folder.object('43', 'unverified', { verified: null, type: null }),
      await folder.object('44', 'not yet', { accepted: false }),
      await folder.object('45', 'not ours', { buckets: ['9:9'] }),
      await folder.object('46', 'no copy', { path: null }),
    ]);
  });

  after(async () => {
    await open.leave();
    await folder.remove();
  });

  const get = (path: string, headers?: Record<string, string>, method?: string) =>
    ask(open.port, path, headers, method);

  it('serves a verified object for a year, under its hash', async () => {
    const { status, headers, body } = await get('/api/v1/assets/42');
    expect([status, body.toString()]).to.deep.equal([200, '0123456789']);
    expect(headers).to.include({
      'content-type': 'video/mp4',
      'content-length': '10',
      etag: '"W1hash42"',
      'cache-control': 'max-age=31536000, immutable',
      'accept-ranges': 'bytes',
      'content-disposition': 'inline',
      'x-cache': 'hit',
      'x-data-source': 'local',
      'timing-allow-origin': '*',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    expect(headers['access-control-expose-headers']).to.contain('Content-Range').and.to.contain('X-Cache');
    expect(headers.date).to.be.a('string');
    expect(headers.server).to.equal(undefined);
  });

  it('serves what has not been verified for three minutes, and without a validator', async () => {
    const { status, headers } = await get('/api/v1/assets/43');
    expect([status, headers.etag]).to.deep.equal([200, undefined]);
    expect(headers).to.include({
      'cache-control': 'max-age=180, must-revalidate',
      'content-type': 'application/octet-stream',
    });
  });

  it('answers HEAD as GET, without the body', async () => {
    for (const path of ['/api/v1/assets/42', '/api/v1/assets/45', '/api/v1/status', '/api/v1/buckets', '/nothing']) {
      const named = { 'x-request-id': 'same' };
      const [head, whole] = [await get(path, named, 'HEAD'), await get(path, named)];
      expect(head.body.length, path).to.equal(0);
      expect({ ...head.headers, date: '' }, path).to.deep.equal({ ...whole.headers, date: '' });
      expect(head.status, path).to.equal(whole.status);
    }
  });

  it('sends parts, and says what it cannot send', async () => {
    const part = await get('/api/v1/assets/42', { range: 'bytes=2-4' });
    expect([part.status, part.body.toString()]).to.deep.equal([206, '234']);
    expect(part.headers).to.include({ 'content-range': 'bytes 2-4/10', 'content-length': '3' });
    const beyond = await get('/api/v1/assets/42', { range: 'bytes=10-' });
    expect([beyond.status, beyond.headers['content-range']]).to.deep.equal([416, 'bytes */10']);
    expect(JSON.parse(beyond.body.toString())).to.deep.equal({ type: 'range', message: 'Data object has 10 bytes' });
    expect(beyond.headers['cache-control']).to.equal('no-store');
    const several = await get('/api/v1/assets/42', { range: 'bytes=0-1,4-5' });
    expect([several.status, several.body.length]).to.deep.equal([200, 10]);
  });

  it('answers 304 and 412 to conditional requests', async () => {
    const same = await get('/api/v1/assets/42', { 'if-none-match': '"W1hash42"' });
    expect([same.status, same.body.length, same.headers.etag]).to.deep.equal([304, 0, '"W1hash42"']);
    expect(same.headers['cache-control']).to.equal('max-age=31536000, immutable');
    expect((await get('/api/v1/assets/42', { 'if-match': '"W1other"' })).status).to.equal(412);
  });

  it('says why an object is not here', async () => {
    const refusals = await Promise.all(['1', '44', '45', '46'].map((id) => get(`/api/v1/assets/${id}`)));
    expect(refusals.map(({ status, body }) => [status, JSON.parse(body.toString())])).to.deep.equal([
      [404, { type: 'unknown', message: 'Data object does not exist' }],
      [404, { type: 'unaccepted', message: 'Data object has not been uploaded' }],
      [421, { type: 'elsewhere', message: 'Data object is not distributed by this node' }],
      [502, { type: 'unavailable', message: 'No source has this data object' }],
    ]);
    for (const { headers } of refusals) {
      expect(headers).to.include({ 'cache-control': 'no-store', 'access-control-allow-origin': '*' });
      expect(headers['content-type']).to.equal('application/json; charset=utf-8');
    }
    expect(refusals.map(({ headers }) => headers['retry-after'])).to.deep.equal([
      undefined,
      undefined,
      undefined,
      '30',
    ]);
  });

  it('serves the status document', async () => {
    const { status, headers, body } = await get('/api/v1/status');
    expect([status, headers['cache-control']]).to.deep.equal([200, 'no-store']);
    const { uptime, ...rest } = JSON.parse(body.toString());
    expect(rest).to.deep.equal({
      id: 'test-node',
      version: '1.2.3',
      workerId: 0,
      objectsInCache: 4,
      storageLimit: 0,
      storageUsed: 10 + 10 + 7 + 8,
      downloadsInProgress: 0,
      queryNodeStatus: { url: '', chainHead: 0, blocksProcessed: 0, packageVersion: '' },
    });
    expect(uptime).to.be.a('number');
    await withJumpingClock(3_600_000, async () => {
      const later = JSON.parse((await get('/api/v1/status')).body.toString());
      expect(later.uptime).to.be.lessThan(3600);
    });
    open.publicServer.configure({ workerId: null, buckets: null });
    expect(JSON.parse((await get('/api/v1/status')).body.toString())).not.to.have.property('workerId');
    open.publicServer.configure({ workerId: 0, buckets: null });
  });

  it('lists its buckets', async () => {
    const buckets = async () => JSON.parse((await get('/api/v1/buckets')).body.toString());
    expect(await buckets()).to.deep.equal({ allByWorkerId: 0 });
    open.publicServer.configure({ workerId: null, buckets: null });
    expect(await buckets()).to.deep.equal({ bucketIds: [] });
    open.publicServer.configure({ workerId: 0, buckets: ['1:0', '1:1'] });
    expect(await buckets()).to.deep.equal({ bucketIds: ['1:0', '1:1'] });
    open.publicServer.configure({ workerId: 0, buckets: null });
  });

  it('allows a player on another origin what it asks for', async () => {
    const { status, headers } = await get(
      '/api/v1/assets/42',
      { origin: 'https://player.example', 'access-control-request-method': 'GET' },
      'OPTIONS',
    );
    expect([status, headers.allow]).to.deep.equal([204, 'GET, HEAD, OPTIONS']);
    expect(headers['access-control-allow-methods']).to.equal('GET, HEAD, OPTIONS');
    expect(headers['access-control-allow-headers']).to.contain('Range');
  });

  it('refuses other methods with those it allows', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
      const { status, headers, body } = await get('/api/v1/assets/42', {}, method);
      expect([status, headers.allow], method).to.deep.equal([405, 'GET, HEAD, OPTIONS']);
      expect(JSON.parse(body.toString()).message, method).to.be.a('string');
    }
  });

  it('knows its paths exactly', async () => {
    for (const path of [
      '/',
      '/api/v1',
      '/api/v1/assets',
      '/api/v1/assets/',
      '/api/v1/assets/42/',
      '/api/v1/assets/4a',
      '/api/v1/assets/%34%32',
      '/api/v1/Assets/42',
      '//api/v1/assets/42',
      '/api/v1/assets/../status',
      '/api/v1/status/',
      '/api/v1/assets/42%00',
      '/%',
    ]) {
      expect((await get(path)).status, path).to.equal(404);
    }
    expect((await get('/api/v1/assets/42?t=1&u=%')).status).to.equal(200);
  });

  const raw = async (text: string): Promise<string> => {
    const socket = await connected(open.port, text);
    return (await restOf(socket)).toString('latin1');
  };

  it('takes a request target in absolute form', async () => {
    const answer = await raw(
      'GET http://node.example/api/v1/assets/42?x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).to.match(/^HTTP\/1\.1 200 /);
  });

  it('survives requests that are none', async () => {
    const socket = await connected(open.port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n');
    await closed(socket);
    for (const [text, status] of [
      ['GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '404'],
      ['OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '404'],
      ['GET http://[ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', '404'],
      ['GET /api/v1/status HTTP/1.1\r\n\r\n', '400'],
      ['nonsense\r\n\r\n', '400'],
      ['GET /api/v1/status HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: close, upgrade\r\n\r\n', '200'],
      ['GET /api/v1/status HTTP/1.0\r\n\r\n', '200'],
      [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, '431'],
      ['GET /api/v1/status HTTP/1.1\r\nHost: a\r\nExpect: more\r\nConnection: close\r\n\r\n', '417'],
    ]) {
      expect((await raw(text ?? '')).slice(9, 12), text?.slice(0, 60)).to.equal(status);
    }
    expect((await get('/api/v1/assets/42')).status).to.equal(200);
  });

  it('discards a short body, and rejects a long one', async () => {
    const post = (head: string, body = '') => `GET /api/v1/assets/42 HTTP/1.1\r\nHost: a\r\n${head}\r\n\r\n${body}`;
    const last = 'GET /api/v1/buckets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    expect((await raw(post('Content-Length: 4', 'body') + last)).match(/HTTP\/1\.1 \d+/g)).to.deep.equal([
      'HTTP/1.1 200',
      'HTTP/1.1 200',
    ]);
    for (const head of ['Content-Length: 1001', 'Transfer-Encoding: chunked']) {
      const answer = await raw(post(head));
      expect(answer, head).to.match(/^HTTP\/1\.1 413 [\s\S]*\r\nConnection: close\r\n/);
    }
  });

  it('answers readiness probes alike, with any headers or body', async () => {
    expect((await get('/readyz', {}, 'OPTIONS')).status).to.equal(204);
    expect((await get('/readyz', { 'content-length': '1001', connection: 'close' })).status).to.equal(413);
  });

  it('answers pipelined requests in order', async () => {
    const one = 'GET /api/v1/assets/42 HTTP/1.1\r\nHost: a\r\nRange: bytes=0-0\r\n\r\n';
    const last = 'GET /api/v1/buckets HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const answer = await raw(one + one + last);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).to.deep.equal(['HTTP/1.1 206', 'HTTP/1.1 206', 'HTTP/1.1 200']);
    expect(answer.endsWith('{"allByWorkerId":0}')).to.equal(true);
  });
});
