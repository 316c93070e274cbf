// A whole run of a real node, with secrets and tokens put wherever somebody may put them: none is in anything it writes.
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { signAccessToken, signRequestToken } from '../src/client/sign-token.ts';
import { Home, type RealNode, secret, signingKey } from './support/harness.ts';
import { until } from './support/until.ts';

interface Sending {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** As it is, whatever it is; resolves with the status. */
const send = (base: string, path: string, { method = 'POST', headers = {}, body = '' }: Sending = {}) =>
  new Promise<number>((resolve, reject) => {
    const outgoing = request(`${base}/`, { method, path, headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject).end(body);
  });

/** All of a folder and those within, as one text for each file. */
async function textsIn(folder: string): Promise<[string, string][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(files.map(async (file): Promise<[string, string]> => [file, await readFile(file, 'latin1')]));
}

describe('what a whole run writes', () => {
  let home: Home;
  let node: RealNode;
  before(async () => {
    home = await Home.make({
      objects: { 42: 'a film' },
      more: { logs: { console: { level: 'silly' }, file: { level: 'silly', path: './logs', frequency: 'hourly' } } },
    });
    node = await home.start();
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  it('holds no secret and no token, wherever they were put', async () => {
    const [operator, viewers] = [node.operatorUrl, `http://127.0.0.1:${home.port}`];
    const key = signingKey;
    const iat = Math.floor(Date.now() / 1000);
    const access = await signAccessToken(key, { lifetimeSec: 600, sub: 'alice' });
    const reading = await signAccessToken(key, { lifetimeSec: 600, scope: 'read' });
    const foreign = await signAccessToken(Buffer.from('another secret of some length'), { lifetimeSec: 600 });
    const expired = await signAccessToken(key, { lifetimeSec: 1, nowMs: 0 });
    const bound = await signRequestToken(key, { reqUrl: '/api/v1/stop-api', reqBody: {}, iat, jti: 'once' });
    const nested = await signRequestToken(key, { reqUrl: '/api/v1/stop-api', iat, jti: access, sub: secret });
    const tokens = [access, reading, foreign, expired, bound, nested];
    const json = { 'content-type': 'application/json' };
    const withAccess = { authorization: `Bearer ${access}`, ...json };

    const statuses: number[] = [];
    const ask = async (path: string, sending?: Sending) => {
      statuses.push(await send(operator, path, sending));
    };
    for (const token of [...tokens, bound]) {
      await ask('/api/v1/stop-api', { headers: { authorization: `Bearer ${token}` } });
      await ask('/api/v1/state', { method: 'GET', headers: { authorization: `bearer  ${token}` } });
    }
    await node.command('start-api');
    for (const word of [access, foreign, secret]) {
      for (const scheme of ['', 'Basic ', 'Token ', 'Bearer x ', 'Bearer', 'Bearer "']) {
        await ask('/api/v1/start-api', { headers: { authorization: `${scheme}${word}` } });
      }
      await ask(`/api/v1/state?access_token=${word}`, { method: 'GET' });
      await ask(`/api/v1/start-api?${word}=dry`, { headers: withAccess });
      await ask(`/api/v1/${word}`, { headers: withAccess });
      await ask(`/${word}`, { method: 'GET' });
      for (const body of [
        word,
        `"${word}"`,
        `{"${word}":1}`,
        `{"workerId":"${word}"}`,
        `{"a": ${word}}`,
        `{"buckets":["${word}`,
      ]) {
        await ask('/api/v1/set-worker', { headers: withAccess, body });
      }
      for (const name of [
        'x-request-id',
        'content-type',
        'if-match',
        'if-none-match',
        'origin',
        'host',
        'cookie',
        'x-token',
      ]) {
        await ask('/api/v1/set-worker', { headers: { ...withAccess, [name]: word }, body: '{"workerId":1}' });
        await ask('/api/v1/set-worker', { headers: { [name]: word }, body: '{"workerId":1}' });
      }
      await ask('/api/v1/set-worker', { headers: { ...withAccess, 'if-match': `"${word}"` }, body: '{"workerId":1}' });
      for (const path of [`/api/v1/assets/42?token=${word}`, `/${word}`, `/api/v1/assets/${word}`]) {
        const headers = { authorization: `Bearer ${word}`, 'x-request-id': word, range: word, 'if-none-match': word };
        await send(viewers, path, { method: 'GET', headers }).catch(() => 0);
      }
    }
    expect(statuses).to.include.members([200, 400, 401, 403, 404, 409, 412, 415]);
    await until(() => node.log.includes('public request'));
    process.kill((await node.workerPids())[0] ?? 0, 'SIGKILL');
    node.signal('SIGTERM');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });

    const written = [
      ['stdout', node.printed] as const,
      ['stderr', node.log] as const,
      ...(await textsIn(join(home.path, 'state'))),
      ...(await textsIn(join(home.path, 'logs'))),
    ];
    const all = written.map(([, text]) => text).join('');
    expect(all).to.include('stop-api: 200').and.to.include('operator request').and.to.include('public request');
    expect(all).to.include('"sub":"alice"').and.to.include('(not shown)');
    const never = [
      secret,
      ...['base64', 'base64url', 'hex'].map((code) => key.toString(code as 'hex')),
      // A token without its signature is of no use to anybody, but is not shown either.
      ...tokens.flatMap((token) => [token, token.slice(0, token.lastIndexOf('.')), token.split('.')[2] ?? '']),
    ];
    const found = written.flatMap(([where, text]) => never.filter((word) => text.includes(word)).map(() => where));
    expect(found).to.deep.equal([]);
  });
});
