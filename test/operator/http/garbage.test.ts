// Fuzzes the operator API: no input causes a 5xx, or reveals a stack or a secret.
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { CompactSign } from 'jose';
import { commandNames } from '../../../machines/commands.ts';
import {
  json,
  type OperatorResponse,
  type OperatorSide,
  secret,
  signingKey,
  startOperatorSide,
} from '../../support/harness.ts';
import { until } from '../../support/until.ts';

describe('garbage', () => {
  let operator: OperatorSide;
  before(async () => {
    operator = await startOperatorSide({ settings: { maxBodyBytes: 2048 } });
  });
  after(() => operator.close());

  const expectDecent = ({ status, text, json: document, headers }: OperatorResponse): void => {
    expect(status).to.be.within(200, 499);
    expect(text).not.to.match(/\bat (?:\w|\/)[^\n]*:\d+:\d+/);
    expect(text).not.to.include(secret);
    if (status < 400) return;
    expect(headers['content-type']).to.equal('application/problem+json');
    expect(document.detail).to.be.a('string').and.not.equal('');
  };

  const isCommand = fc.constantFrom(...commandNames.filter((name) => name !== 'shutdown'));
  /** What HTTP allows in the value of a header. */
  const headerCharacter = fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code));
  const headerValue = fc.string({ unit: headerCharacter });
  const base64url = fc.oneof(
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.base64String().map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    headerValue.map((text) => text.replaceAll('.', '')),
  );
  const tokens = fc.tuple(base64url, base64url, base64url).map((parts) => `Bearer ${parts.join('.')}`);

  it('as Authorization is a 401', async () => {
    await fc.assert(
      fc.asyncProperty(isCommand, fc.oneof(headerValue, tokens), async (name, authorization) => {
        const answer = await operator.call(`/api/v1/${name}`, { headers: { authorization } });
        expect(answer.status).to.equal(401);
        expect(answer.headers['www-authenticate']).to.match(/^Bearer realm="[^"]*"/);
        expectDecent(answer);
      }),
      { numRuns: 80 },
    );
  });

  it('as claims, correctly signed, is refused or obeyed', async () => {
    const number = fc.oneof(fc.double(), fc.integer(), fc.constant(Math.floor(Date.now() / 1000)));
    const claim = fc.oneof(fc.jsonValue(), number);
    const claims = fc.record(
      {
        ...{ iat: claim, exp: claim, nbf: claim, aud: claim, sub: claim, jti: claim, scope: claim },
        ...{ reqUrl: fc.oneof(claim, fc.constant('/api/v1/stop-api')), reqBody: claim, reqBodyHash: claim },
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(claims, async (some) => {
        const text = new TextEncoder().encode(JSON.stringify(some).replaceAll('null', '1e999'));
        const token = await new CompactSign(text).setProtectedHeader({ alg: 'HS256' }).sign(signingKey);
        expectDecent(await operator.command('stop-api', {}, token));
      }),
      { numRuns: 120 },
    );
  });

  it('as a body is a 4xx or a command', async () => {
    const bodies = fc.oneof(
      fc.json(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.string({ maxLength: 3000 }),
    );
    const types = fc.constantFrom(
      'application/json',
      'text/plain',
      'application/json; charset=utf-16',
      '',
      ';',
      'a/b;c="',
    );
    await fc.assert(
      fc.asyncProperty(isCommand, bodies, types, fc.boolean(), async (name, body, type, chunked) => {
        const authorization = `Bearer ${await operator.access()}`;
        const headers = { ...json, 'content-type': type, authorization };
        expectDecent(await operator.call(`/api/v1/${name}`, { headers, body, chunked }));
      }),
      { numRuns: 120 },
    );
  });

  it('as target, Host or Origin is a 4xx', async () => {
    const target = fc.webPath().map((path) => path || '/');
    await fc.assert(
      fc.asyncProperty(target, headerValue, headerValue, async (path, host, origin) => {
        expectDecent(await operator.call(path, { method: 'GET', headers: { host, origin } }));
        expectDecent(await operator.call(path, { method: 'GET' }));
        expectDecent(await operator.call(`http://localhost${path}`, { method: 'GET' }));
      }),
      { numRuns: 30 },
    );
  });

  it('that stops halfway causes no internal error, and no stack trace in the log', async () => {
    const authorization = `Bearer ${await operator.access()}`;
    const { length } = operator.logLines;
    for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      for (const part of ['', framing.startsWith('C') ? '{"work' : '6\r\n{"work\r\n']) {
        const head = ['POST /api/v1/set-worker HTTP/1.1', 'Host: localhost', 'Content-Type: application/json', framing];
        const text = [...head, `Authorization: ${authorization}`, '', part].join('\r\n');
        await new Promise<void>((resolve, reject) => {
          const socket = connect(operator.listener.port, '127.0.0.1', () => socket.end(text));
          socket
            .resume()
            .on('error', reject)
            .on('close', () => resolve());
        });
      }
    }
    await until(() => operator.logLines.slice(length).filter((line) => line.includes('set-worker: ')).length === 4);
    const lines = operator.logLines.slice(length).join('');
    expect(lines)
      .not.to.match(/"level":[56]0/)
      .and.not.to.match(/:\d+:\d+/);
    expect(operator.audits.slice(-4).map(({ status }) => status)).to.deep.equal([400, 400, 400, 400]);
  });

  it('leaves the node working', async () => {
    expect((await operator.command('set-worker', { workerId: 1 })).status).to.equal(200);
    expect(operator.logLines.filter((line) => JSON.parse(line).level >= 50)).to.deep.equal([]);
  });
});
