// The five commands and the state as their users see them: every status, its headers and its body.
import { expect } from 'chai';
import { commandNames } from '../../../machines/commands.ts';
import type { NodeControl } from '../../../src/control/node-control.ts';
import { bearer, json, type OperatorSide, startNode, startOperatorSide } from '../../support/harness.ts';

describe('the operator API', () => {
  let operator: OperatorSide;
  beforeEach(async () => {
    operator = await startOperatorSide();
  });
  afterEach(() => operator.close());

  const state = async () => operator.call('/api/v1/state', { method: 'GET', headers: bearer(await operator.access()) });

  it('stops and starts the public API, answers with the state, and refuses with reasons', async () => {
    const stopped = await operator.command('stop-api');
    expect(stopped.status).to.equal(200);
    expect(stopped.headers['content-type']).to.match(/^application\/json/);
    expect(stopped.json).to.include({ node: 'running', publicApi: 'stopped', generation: 1 });

    const again = await operator.command('stop-api');
    expect(again.status).to.equal(409);
    expect(again.headers['content-type']).to.equal('application/problem+json');
    expect(again.json).to.deep.equal({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      detail: 'Already stopped',
      message: 'Already stopped',
      state: { node: 'running', publicApi: 'stopped' },
      allowed: ['start-api', 'shutdown', 'set-worker', 'set-buckets'],
    });

    expect((await operator.command('start-api')).json).to.include({ publicApi: 'running' });
    expect((await operator.command('start-api')).json).to.include({ status: 409, detail: 'Already started' });
  });

  it('sets worker and buckets; without a list, all buckets of the worker', async () => {
    expect((await operator.command('set-worker', { workerId: 3 })).json.settings).to.deep.equal({
      workerId: 3,
      buckets: null,
    });
    const buckets = ['1:0', '1:1', '1:0'];
    const chosen = { workerId: 3, buckets: ['1:0', '1:1'] };
    expect((await operator.command('set-buckets', { buckets })).json.settings).to.deep.equal(chosen);
    expect((await state()).json.settings).to.deep.equal(chosen);
    for (const all of [undefined, {}]) {
      await operator.command('set-buckets', { buckets });
      expect((await operator.command('set-buckets', all)).json.settings).to.deep.equal({ workerId: 3, buckets: null });
    }
    expect((await operator.command('set-buckets', { buckets: ['string'] })).status).to.equal(200);
  });

  it('shows the effective buckets: those set, otherwise those of the worker, otherwise none', async () => {
    expect((await state()).json.effectiveBuckets).to.deep.equal([]);
    expect((await operator.command('set-worker', { workerId: 3 })).json.effectiveBuckets).to.deep.equal(['3:0', '3:1']);
    const buckets = ['1:1', '1:0', '1:1'];
    expect((await operator.command('set-buckets', { buckets })).json.effectiveBuckets).to.deep.equal(['1:1', '1:0']);
    expect((await operator.command('set-buckets')).json.effectiveBuckets).to.deep.equal(['3:0', '3:1']);
  });

  it('shuts down once', async () => {
    const answer = await operator.command('shutdown');
    expect(answer.status).to.equal(200);
    expect(answer.json).to.include({ node: 'shuttingDown', publicApi: 'stopped' });
    expect((await operator.command('shutdown')).json).to.include({ status: 409, detail: 'Already shutting down' });
  });

  it('returns the reason of a failed effect, and no internal detail', async () => {
    await operator.command('stop-api');
    operator.effects.listen = async () => {
      throw new Error('Port 3334 is taken');
    };
    const answer = await operator.command('start-api');
    expect(answer.json).to.deep.equal({
      type: 'about:blank',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Port 3334 is taken',
      message: 'Port 3334 is taken',
    });
    expect((await state()).json).to.include({ publicApi: 'stopped' });
  });

  it('logs an internal error, and does not reveal it', async () => {
    const node = await startNode(operator.effects);
    const broken: NodeControl = {
      get state() {
        return node.state;
      },
      command: () => Promise.reject(new Error('an inner matter')),
      preview: () => Promise.reject(new Error('an inner matter')),
    };
    const other = await startOperatorSide({ node: broken });
    const answer = await other.command('stop-api');
    await other.close();
    expect(answer.status).to.equal(500);
    expect(answer.text).not.to.match(/inner matter|\bat \//);
    expect(answer.json.detail).to.equal('Something went wrong inside the node; its log says what');
    expect(other.logLines.join('')).to.include('an inner matter');
  });

  it('lists every error of a body with its JSON Pointer', async () => {
    const answer = await operator.command('set-worker', { worker: 1 });
    expect(answer.status).to.equal(400);
    expect(answer.json).to.deep.include({
      detail: '/workerId is required (and 1 more)',
      errors: [
        { path: '/workerId', message: 'is required' },
        { path: '/worker', message: 'is not a known key' },
      ],
    });
    for (const workerId of [-1, 1.5, 2 ** 53, '3', null, true]) {
      expect((await operator.command('set-worker', { workerId })).status, String(workerId)).to.equal(400);
    }
    for (const buckets of [[], [''], [1], 'all', null, {}, ['x'.repeat(129)]]) {
      expect((await operator.command('set-buckets', { buckets })).status, String(buckets)).to.equal(400);
    }
    expect((await operator.command('set-worker')).json.errors).to.deep.equal([
      { path: '/workerId', message: 'is required' },
    ]);
    const many = await operator.command('set-buckets', { buckets: new Array(5000).fill('') });
    expect(many.json.errors).to.have.length(100);
    expect(many.json.detail).to.include('(and 4999 more)');
  });

  it('refuses every body that is not a JSON object', async () => {
    const bodies = ['null', '1', '"x"', '[]', '[{}]', '{', ' ', '{"workerId":1}x', '{"__proto__":{"workerId":1}}'];
    const hidden = '{"workerId":1,"constructor":{"prototype":{"x":1}}}';
    for (const body of [
      ...bodies,
      hidden,
      '['.repeat(500_000),
      Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ]) {
      const headers = { ...bearer(await operator.access()), ...json };
      const answer = await operator.call('/api/v1/set-worker', { headers, body });
      expect(answer.status, body.toString().slice(0, 50)).to.equal(400);
      expect(answer.json.detail).to.be.a('string').and.not.equal('');
      const [first, ...others] = answer.json.errors as { path: string; message: string }[];
      const where = first?.path || 'The body';
      const more = others.length > 0 ? ` (and ${others.length} more)` : '';
      expect(answer.json.detail).to.equal(`${where} ${first?.message}${more}`);
    }
    expect({}).not.to.have.property('workerId');
  });

  it('lists errors with every 400, also if the error is not in the body', async () => {
    const authorized = async () => ({ ...bearer(await operator.access()), ...json });
    const malformed = await operator.call('/api/v1/set-worker', { headers: await authorized(), body: '{"workerId":' });
    expect(malformed.json.errors).to.deep.equal([
      { path: '', message: 'is not a JSON object: Unexpected end of JSON input' },
    ]);
    const list = await operator.call('/api/v1/set-worker', { headers: await authorized(), body: '[]' });
    expect(list.json.errors).to.deep.equal([{ path: '', message: 'must be object' }]);
    const query = await operator.call('/api/v1/stop-api?dryRun=maybe', { headers: await authorized() });
    expect(query.json.errors).to.deep.equal([{ path: '', message: 'dryRun must be true or false, once' }]);
    const headers = { ...(await authorized()), 'if-match': 'nonsense' };
    const condition = await operator.call('/api/v1/stop-api', { headers });
    expect(condition.json.errors).to.deep.equal([{ path: '', message: condition.json.detail }]);
  });

  it('truncates the path of an error: an unknown key may be as long as the body', async () => {
    const { json } = await operator.command('set-worker', { workerId: 1, ['x'.repeat(100_000)]: 1 });
    expect(json.errors).to.deep.equal([{ path: `/${'x'.repeat(299)}…`, message: 'is not a known key' }]);
    expect(json.detail).to.equal(`/${'x'.repeat(299)}… is not a known key`);
  });

  it('explains a body that is not UTF-8', async () => {
    const headers = { ...bearer(await operator.access()), ...json };
    const body = Buffer.from('{"buckets":["\xff"]}', 'latin1');
    const answer = await operator.call('/api/v1/set-buckets', { headers, body });
    expect(answer.json).to.include({ status: 400, detail: 'The body is not UTF-8' });
  });

  it('treats an empty body as {} with any type, chunked or not', async () => {
    const types: Record<string, string>[] = [
      {},
      json,
      { 'content-type': 'text/plain' },
      { 'content-encoding': 'gzip' },
    ];
    for (const type of types) {
      for (const chunked of [false, true]) {
        const headers = { ...type, ...bearer(await operator.access()) };
        const answer = await operator.call('/api/v1/set-buckets', { headers, chunked });
        expect(answer.status, JSON.stringify({ ...type, chunked })).to.equal(200);
      }
    }
  });

  it('takes bodies as UTF-8 JSON alone, not compressed and not too long: 415, 413', async () => {
    const kinds: [string, Record<string, string>][] = [
      ['no type', {}],
      ['form', { 'content-type': 'application/x-www-form-urlencoded' }],
      ['patch', { 'content-type': 'application/json-patch+json' }],
      ['latin1', { 'content-type': 'application/json; charset=iso-8859-1' }],
      ['gzip', { ...json, 'content-encoding': 'gzip' }],
    ];
    for (const chunked of [false, true]) {
      for (const [name, type] of kinds) {
        const headers = { ...type, ...bearer(await operator.access()) };
        const answer = await operator.call('/api/v1/set-buckets', { headers, body: '{}', chunked });
        expect(answer.status, name).to.equal(415);
      }
      const body = JSON.stringify({ buckets: ['x'.repeat(1_048_577)] });
      const headers = { ...json, ...bearer(await operator.access()) };
      expect((await operator.call('/api/v1/set-buckets', { headers, body, chunked })).status).to.equal(413);
    }
    // A length whose low 32 bits are 0; the announced body is not waited for.
    const head = `POST /api/v1/stop-api HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${await operator.access()}\r\n`;
    const length = `Content-Type: application/json\r\nContent-Length: ${2 ** 32}\r\nConnection: close\r\n\r\n`;
    expect(await operator.raw(head + length)).to.match(/^HTTP\/1.1 413 /);

    for (const chunked of [false, true]) {
      const type = { 'content-type': 'Application/JSON;charset="UTF-8"', 'content-encoding': 'Identity' };
      const headers = { ...type, ...bearer(await operator.access()) };
      expect((await operator.call('/api/v1/set-buckets', { headers, body: '{}', chunked })).status).to.equal(200);
    }
  });

  it('matches paths exactly, and lists their methods in 405', async () => {
    for (const path of ['/api', '/api/v1', '/api/v1/', '/api/v1/Stop-api', '/api/v1/stop-api/', '//api/v1/stop-api']) {
      expect((await operator.call(path)).status, path).to.equal(404);
    }
    for (const path of ['/api/v1/stop%2Dapi', '/api/v1/state#x', '/api/v1/../v1/state', '/API/v1/state', '*']) {
      expect((await operator.call(path, { method: 'GET' })).status, path).to.equal(404);
    }
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
      for (const name of commandNames) {
        const answer = await operator.call(`/api/v1/${name}`, { method });
        expect(answer.status, `${method} ${name}`).to.equal(405);
        expect(answer.headers.allow).to.equal('POST');
      }
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const answer = await operator.call('/api/v1/state', { method });
      expect([answer.status, answer.headers.allow], method).to.deep.equal([405, 'GET, HEAD']);
    }
  });

  it('answers HEAD where it answers GET, without a body', async () => {
    const get = await state();
    const head = await operator.call('/api/v1/state', { method: 'HEAD', headers: bearer(await operator.access()) });
    expect(head.status).to.equal(200);
    expect(head.text).to.equal('');
    expect(head.headers['content-length']).to.equal(get.headers['content-length']);
    const refused = await operator.call('/api/v1/state', { method: 'HEAD' });
    expect([refused.status, refused.text]).to.deep.equal([401, '']);
  });

  it('forbids caching, MIME sniffing and reading by other sites', async () => {
    const answers = [
      await state(),
      await operator.command('stop-api'),
      await operator.command('stop-api'),
      await operator.call('/'),
    ];
    for (const { headers } of answers) {
      expect(headers).to.include({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).to.deep.equal([]);
    }
  });

  it('answers the same with any NODE_ENV', async () => {
    const before = process.env.NODE_ENV;
    const seen = new Set<string>();
    try {
      for (const env of [undefined, 'development', 'production', 'test']) {
        if (env === undefined) delete process.env.NODE_ENV;
        else process.env.NODE_ENV = env;
        const other = await startOperatorSide();
        const answers = [
          await other.call('/'),
          await other.call('/api/v1/state'),
          await other.command('set-worker', []),
        ];
        seen.add(JSON.stringify(answers.map(({ status, text }) => [status, text])));
        await other.close();
      }
    } finally {
      if (before === undefined) delete process.env.NODE_ENV;
      else process.env.NODE_ENV = before;
    }
    expect(seen.size).to.equal(1);
  });
});
