// Every request to the operator API has a name, in its answer and in the log.
import { expect } from 'chai';
import { bearer, type OperatorSide, startNode, startOperatorSide } from '../../support/harness.ts';

describe('the name of an operator request', () => {
  let operator: OperatorSide;
  beforeEach(async () => {
    operator = await startOperatorSide();
  });
  afterEach(() => operator.close());

  const logged = () => operator.logLines.map((line) => JSON.parse(line));

  it('is in every answer', async () => {
    const headers = { 'x-request-id': 'mine-1' };
    const token = bearer(await operator.access());
    const answers = [
      await operator.call('/api/v1/state', { method: 'GET', headers: { ...headers, ...token } }),
      await operator.call('/api/v1/stop-api', { headers: { ...headers, ...token } }),
      await operator.call('/api/v1/stop-api', { headers: { ...headers, ...token } }),
      await operator.call('/api/v1/stop-api', { headers }),
      await operator.call('/nowhere', { headers }),
      await operator.call('/api/v1/state', { headers: { ...headers, host: 'evil.example' } }),
      await operator.call('/', { method: 'GET', headers }),
    ];
    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 409, 401, 404, 403, 200]);
    for (const { status, headers: got } of answers) expect(got['x-request-id'], String(status)).to.equal('mine-1');
    const nameless = await operator.call('/api/v1/state', { headers: { 'x-request-id': 'not a name' } });
    expect(nameless.headers['x-request-id']).to.match(/^[0-9a-f-]{36}$/);
  });

  it('is in the log lines of that request, and in the audit log', async () => {
    await operator.call('/api/v1/stop-api?with=query', {
      headers: { ...bearer(await operator.access()), 'x-request-id': 'mine-2' },
    });
    const lines = logged().filter(({ requestId }) => requestId === 'mine-2');
    expect(lines.map(({ level, msg }) => [level, msg])).to.deep.equal([
      [30, 'stop-api: 200'],
      [25, 'operator request'],
    ]);
    expect(lines[1]).to.include({ method: 'POST', path: '/api/v1/stop-api', status: 200, from: '127.0.0.1' });
    expect(lines[1].ms).to.be.a('number');
    expect(operator.audits[0]).to.include({ requestId: 'mine-2' });
  });

  it('is logged with the path as sent, truncated', async () => {
    await operator.call(`/${'eyJ'.repeat(50_000)}`);
    await operator.raw(`GET /x#${'\\'.repeat(1000)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(
      logged()
        .filter(({ msg }) => msg === 'operator request')
        .map(({ path }) => path),
    ).to.deep.equal([`/${'eyJ'.repeat(50_000)}`.slice(0, 300), `/x#${'\\'.repeat(297)}`]);
  });

  it('connects a 500 to its log line', async () => {
    const node = await startNode(operator.effects);
    const failing = Object.create(node, {
      command: { value: () => Promise.reject(new Error('an inner matter')) },
      state: { get: () => node.state },
    });
    const other = await startOperatorSide({ node: failing });
    const { json } = await other.command('stop-api');
    await other.close();
    expect(json.requestId).to.match(/^[0-9a-f-]{36}$/);
    const line = other.logLines.map((text) => JSON.parse(text)).find(({ err }) => err);
    expect(line).to.include({ level: 50, requestId: json.requestId });
  });
});
