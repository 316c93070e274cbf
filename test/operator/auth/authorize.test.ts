// Tokens over HTTP: refusals, one use per request token, and audit entries.
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { usedTokensInMemory } from '../../../src/operator/auth/used-tokens.ts';
import {
  bearer,
  json,
  type OperatorResponse,
  type OperatorSide,
  secret,
  startOperatorSide,
} from '../../support/harness.ts';

const hashOf = (bytes: string): string => createHash('sha256').update(bytes).digest('base64url');

describe('a token in a request', () => {
  let operator: OperatorSide;
  beforeEach(async () => {
    operator = await startOperatorSide();
  });
  afterEach(() => operator.close());

  const challengeOf = ({ headers }: OperatorResponse) => headers['www-authenticate'];
  const post = (name: string, token: string, body: string, headers = {}) =>
    operator.call(`/api/v1/${name}`, { headers: { ...bearer(token), ...json, ...headers }, body });

  it('is requested if missing, without an error code (RFC 6750 §3.1)', async () => {
    const without: Record<string, string>[] = [{}, { authorization: '' }, { authorization: 'Basic YTpi' }];
    for (const headers of [...without, { authorization: 'Bearer' }]) {
      const answer = await operator.call('/api/v1/stop-api', { headers });
      expect(answer.status).to.equal(401);
      expect(challengeOf(answer)).to.equal('Bearer realm="distributor-node operator API"');
      expect(answer.headers['content-type']).to.equal('application/problem+json');
    }
    const two = await operator.call('/api/v1/stop-api', {
      headers: { authorization: `Bearer ${await operator.access()} x` },
    });
    expect(two.status).to.equal(401);
  });

  it('is refused with the reason, as a problem and as a challenge', async () => {
    const answer = await operator.command('stop-api', undefined, await operator.access({ aud: 'oth"er', exp: 1 }));
    expect(answer.status).to.equal(401);
    expect(answer.json).to.include({ title: 'Unauthorized', detail: 'The token has expired' });
    expect(challengeOf(answer)).to.equal(
      'Bearer realm="distributor-node operator API", error="invalid_token", error_description="The token has expired"',
    );
    const other = await operator.command('stop-api', undefined, await operator.access({ aud: 'other' }));
    expect(challengeOf(other)).to.match(/error_description="[^"\\]+"$/);
  });

  it('is accepted with a scheme in any case', async () => {
    for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
      const headers = { authorization: `${scheme} ${await operator.access()}` };
      expect((await operator.call('/api/v1/state', { method: 'GET', headers })).status).to.equal(200);
    }
  });

  it('with the scope read can read and send no command', async () => {
    const token = await operator.access({ scope: 'read' });
    expect((await operator.call('/api/v1/state', { method: 'GET', headers: bearer(token) })).status).to.equal(200);
    const answer = await operator.command('stop-api', undefined, token);
    expect(answer.status).to.equal(403);
    expect(challengeOf(answer)).to.include('error="insufficient_scope", scope="operate"');
  });

  it('made by the command line this node replaces works unchanged', async () => {
    const sent: [string, object][] = [
      ['set-worker', { workerId: 2 }],
      ['set-buckets', { buckets: ['1:0', '1:1'] }],
      ['set-buckets', {}],
      ['stop-api', {}],
      ['start-api', {}],
      ['shutdown', {}],
    ];
    for (const [name, body] of sent) {
      const headers = { ...json, authorization: `bearer ${await operator.forRequest(name, body)}` };
      const answer = await operator.call(`/api/v1/${name}`, { headers, body: JSON.stringify(body) });
      expect(answer.status, name).to.equal(200);
    }
  });

  it('for one request works once, even if the answer was a refusal', async () => {
    const token = await operator.forRequest('start-api');
    const answers = [await operator.command('start-api', {}, token), await operator.command('start-api', {}, token)];
    expect(answers.map(({ status }) => status)).to.deep.equal([409, 401]);
    expect(answers[1]?.json.detail).to.equal('The token has been used: each request needs one of its own');
    const invalid = await operator.forRequest('set-worker', { workerId: 'x' }, { jti: 'one' });
    expect((await operator.command('set-worker', { workerId: 'x' }, invalid)).status).to.equal(400);
    expect((await operator.command('set-worker', { workerId: 'x' }, invalid)).status).to.equal(401);
  });

  it('for one request works once where it is sent twice at the same time', async () => {
    const token = await operator.forRequest('set-worker', { workerId: 1 });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => operator.command('set-worker', { workerId: 1 }, token)),
    );
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 401, 401, 401, 401]);
  });

  it('for one request is not used up by a request it was not made for', async () => {
    const token = await operator.forRequest('set-worker', { workerId: 1 });
    expect((await operator.command('set-worker', { workerId: 2 }, token)).status).to.equal(401);
    expect((await operator.command('stop-api', { workerId: 1 }, token)).status).to.equal(401);
    expect((await post('set-worker', token, '{', {})).status).to.equal(400);
    expect((await post('set-worker', token, '{"workerId":1}', { 'content-type': 'text/plain' })).status).to.equal(415);
    expect((await operator.command('set-worker', { workerId: 1 }, token)).status).to.equal(200);
  });

  it('for one read works repeatedly until it expires', async () => {
    const token = await operator.sign({ reqUrl: '/api/v1/state', iat: Math.floor(Date.now() / 1000) });
    for (const method of ['GET', 'HEAD', 'GET']) {
      expect((await operator.call('/api/v1/state', { method, headers: bearer(token) })).status).to.equal(200);
    }
    const other = await operator.forRequest('state', { a: 1 });
    expect((await operator.call('/api/v1/state', { method: 'GET', headers: bearer(other) })).status).to.equal(401);
  });

  it('for one request covers the query', async () => {
    const token = await operator.sign({ reqUrl: '/api/v1/stop-api?why=test', iat: Math.floor(Date.now() / 1000) });
    expect((await operator.call('/api/v1/stop-api', { headers: bearer(token) })).status).to.equal(401);
    expect((await operator.call('/api/v1/stop-api?why=test', { headers: bearer(token) })).status).to.equal(200);
  });

  it('for one request with a body hash covers the bytes that were sent', async () => {
    const withBom = '\ufeff{"workerId": 4}';
    const claims = { reqUrl: '/api/v1/set-worker', iat: Math.floor(Date.now() / 1000) };
    const token = await operator.sign({ ...claims, reqBodyHash: hashOf(withBom) });
    expect((await post('set-worker', token, '{"workerId": 4}')).status).to.equal(401);
    expect((await post('set-worker', token, withBom)).status).to.equal(200);
  });

  it('of either kind carries out a command with five thousand buckets', async () => {
    const buckets = Array.from({ length: 5000 }, (_, index) => `${1000 + (index % 100)}:${10_000 + index}`);
    const body = JSON.stringify({ buckets });
    const iat = Math.floor(Date.now() / 1000);
    const bound = { reqUrl: '/api/v1/set-buckets', iat };
    const tokens = [
      await operator.access(),
      await operator.sign({ ...bound, reqBody: { buckets } }),
      await operator.sign({ ...bound, reqBodyHash: hashOf(body) }),
    ];
    for (const token of tokens) {
      const answer = await post('set-buckets', token, body);
      expect(answer.status).to.equal(200);
      expect(answer.json.settings).to.deep.include({ buckets });
    }
  });

  it('is refused if too many were used: no other is forgotten', async () => {
    const full = await startOperatorSide({ usedTokens: usedTokensInMemory({ max: 1, now: Date.now }) });
    const codes = [];
    for (const jti of ['a', 'b']) {
      const answer = await full.command(
        'set-worker',
        { workerId: 1 },
        await full.forRequest('set-worker', { workerId: 1 }, { jti }),
      );
      codes.push(answer.status);
    }
    const access = await full.command('set-worker', { workerId: 1 });
    await full.close();
    expect([...codes, access.status]).to.deep.equal([200, 401, 200]);
  });

  it('of one request is not accepted again when the clock is set back, even after other tokens were used', async () => {
    let now = Date.now();
    const moved = await startOperatorSide({
      now: () => now,
      usedTokens: usedTokensInMemory({ max: 10, now: () => now }),
    });
    const used = await moved.forRequest('set-worker', { workerId: 1 });
    const codes = [(await moved.command('set-worker', { workerId: 1 }, used)).status];
    for (const minutes of [6, -6]) {
      now += minutes * 60_000;
      const other = await moved.forRequest('set-worker', { workerId: 2 });
      codes.push((await moved.command('set-worker', { workerId: 2 }, other)).status);
    }
    codes.push((await moved.command('set-worker', { workerId: 1 }, used)).status);
    await moved.close();
    expect(codes).to.deep.equal([200, 200, 200, 401]);
  });

  it('that is not bound to a request can be refused altogether', async () => {
    const strict = await startOperatorSide({ settings: { accessTokens: false } });
    const answers = [
      await strict.command('stop-api'),
      await strict.command('stop-api', {}, await strict.forRequest('stop-api')),
    ];
    await strict.close();
    expect(answers.map(({ status }) => status)).to.deep.equal([401, 200]);
  });

  it('leads to one audit entry for each command and each refused token, with its subject and kind', async () => {
    await operator.command('set-worker', { workerId: 5 }, await operator.access({ sub: 'alice' }));
    await operator.command('start-api', {}, await operator.forRequest('start-api', {}, { sub: 'bob', jti: 'j1' }));
    await operator.command('start-api', {}, 'x.y.z');
    await operator.command('stop-api', undefined, await operator.access({ sub: 'carol', scope: 'read' }));
    await operator.call('/api/v1/state', { method: 'GET' });
    await operator.call('/api/v1/state', { method: 'GET', headers: bearer(await operator.access()) });
    await operator.call('/nowhere');
    const written = operator.audits.map(({ at, from, requestId, ...entry }) => entry);
    const running = { node: 'running', publicApi: 'running' };
    const post = { method: 'POST', input: null, before: null, after: null };
    expect(written.slice(0, 2)).to.deep.equal([
      {
        ...{
          ...post,
          kind: 'access',
          sub: 'alice',
          jti: null,
          command: 'set-worker',
          input: { workerId: 5 },
          status: 200,
        },
        ...{ detail: null, before: { ...running, generation: 0 }, after: { ...running, generation: 1 } },
      },
      {
        ...{ ...post, kind: 'request', sub: 'bob', jti: 'j1', command: 'start-api', input: {}, status: 409 },
        ...{ detail: 'Already started', before: { ...running, generation: 1 }, after: { ...running, generation: 1 } },
      },
    ]);
    const short = written
      .slice(2)
      .map(({ kind, sub, command, method, status }) => [kind, sub, command, method, status]);
    expect(short).to.deep.equal([
      [null, null, 'start-api', 'POST', 401],
      ['access', 'carol', 'stop-api', 'POST', 403],
      [null, null, null, 'GET', 401],
    ]);
    expect(operator.audits.map(({ from }) => from)).to.deep.equal(new Array(5).fill('127.0.0.1'));
  });

  it('leads to entries with the state in which each command was judged, not in which it arrived', async () => {
    await Promise.all(
      Array.from({ length: 5 }, async (_, at) => operator.command('set-worker', { workerId: 100 + at })),
    );
    const moments = operator.audits.slice(-5).map(({ before, after }) => [before?.generation, after?.generation]);
    const [[first = -1] = []] = moments.sort(([a = 0], [b = 0]) => a - b);
    expect(moments).to.deep.equal(Array.from({ length: 5 }, (_, at) => [first + at, first + at + 1]));
  });

  it('reaches no log, nor does the secret', async () => {
    const tokens = [
      await operator.access(),
      await operator.forRequest('stop-api'),
      await operator.access({ exp: 1 }),
      'not.a.token',
    ];
    for (const token of tokens) {
      await operator.command('stop-api', {}, token);
      await operator.command('set-worker', { workerId: 'x' }, token);
      await operator.call('/api/v1/state', { method: 'PUT', headers: bearer(token) });
    }
    const written = operator.logLines.join('') + JSON.stringify(operator.audits);
    expect(written).to.include('stop-api');
    for (const token of [...tokens, secret]) {
      for (const piece of [token, token.split('.')[1] ?? token, token.split('.')[2] ?? token]) {
        if (piece.length > 5) expect(written).not.to.include(piece);
      }
    }
  });
});
