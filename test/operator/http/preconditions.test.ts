// ETag, If-Match and If-None-Match: a command is carried out only if the state has not moved on.
import { expect } from 'chai';
import { commandNames } from '../../../machines/commands.ts';
import { condition } from '../../../src/base/condition.ts';
import { bearer, json, type OperatorSide, startOperatorSide } from '../../support/harness.ts';

describe('preconditions', () => {
  let operator: OperatorSide;
  beforeEach(async () => {
    operator = await startOperatorSide();
  });
  afterEach(() => operator.close());

  const read = async (headers: Record<string, string> = {}, method = 'GET') =>
    operator.call('/api/v1/state', { method, headers: { ...bearer(await operator.access()), ...headers } });
  const tag = async () => String((await read()).headers.etag);
  const order = async (name: string, ifMatch: string, body: object = {}) =>
    operator.call(`/api/v1/${name}`, {
      headers: { ...bearer(await operator.access()), ...json, 'if-match': ifMatch },
      body: JSON.stringify(body),
    });

  it('has a strong tag on the state, the same on every answer that carries it', async () => {
    const answer = await read();
    expect(answer.headers.etag).to.match(/^"0\.[\w-]+\.[\w-]+"$/);
    expect(answer.headers['content-location']).to.equal('/api/v1/state');
    const done = await operator.command('set-worker', { workerId: 3 });
    expect(done.headers.etag).to.match(/^"1\./);
    expect(done.headers.etag).to.equal(await tag());
    expect((await read({}, 'HEAD')).headers.etag).to.equal(await tag());
  });

  it('answers 304 without a body to a client that has the current state', async () => {
    const now = await tag();
    for (const header of [now, `W/${now}`, `"x", ${now}`, '*']) {
      const answer = await read({ 'if-none-match': header });
      expect([answer.status, answer.text], header).to.deep.equal([304, '']);
      expect(answer.headers).to.include({ etag: now, 'cache-control': 'no-store' });
    }
    expect((await read({ 'if-none-match': now }, 'HEAD')).status).to.equal(304);
    await operator.command('set-worker', { workerId: 3 });
    expect((await read({ 'if-none-match': now })).status).to.equal(200);
    expect((await read({ 'if-none-match': '"0"' })).status).to.equal(200);
  });

  it('gives the state another tag if only a condition was raised', async () => {
    const before = await tag();
    operator.conditions.push(condition('NoDirectory', 'NotConfigured', 'No catalogue.'));
    const after = await tag();
    expect(after).not.to.equal(before);
    expect((await read({ 'if-none-match': before })).status).to.equal(200);
    expect((await order('set-worker', before, { workerId: 3 })).status, 'but nothing was set').to.equal(200);
  });

  it('carries out a command if the state is current, otherwise 412', async () => {
    const old = await tag();
    expect((await order('set-worker', old, { workerId: 3 })).status).to.equal(200);
    const late = await order('set-worker', old, { workerId: 4 });
    expect(late.json).to.deep.include({ status: 412, title: 'Precondition Failed', generation: 1 });
    expect(late.json.detail).to.match(/generation 1/);
    expect(late.json).to.have.property('message', late.json.detail);
    expect(late.json).to.have.property('state').that.deep.equals({ node: 'running', publicApi: 'running' });
    expect(late.json.allowed).to.include('stop-api');
    expect((await read()).json.settings).to.deep.include({ workerId: 3 });
  });

  it('applies to every command', async () => {
    for (const name of commandNames) {
      if (name === 'start-api') await operator.command('stop-api');
      const body = name === 'set-worker' ? { workerId: 9 } : {};
      expect((await order(name, '"77"', body)).status, name).to.equal(412);
      expect((await order(name, '"77", "0.x"', body)).status, name).to.equal(412);
      if (name !== 'shutdown') expect((await order(name, await tag(), body)).status, name).to.equal(200);
    }
    expect((await order('shutdown', await tag())).status).to.equal(200);
  });

  it('matches by *, by one tag of a list, by the generation alone, and never by a weak tag', async () => {
    const now = await tag();
    const set = (ifMatch: string) => order('set-worker', ifMatch, { workerId: 0 });
    await set('*');
    const [generation] = (await tag()).slice(1).split('.');
    expect(generation).to.equal('1');
    for (const ifMatch of ['*', ' * ', `"x",${await tag()}`, ` , "a,b" ,"1"`, '"1"']) {
      expect((await set(ifMatch)).status, ifMatch).to.equal(200);
    }
    for (const ifMatch of [now, `W/${await tag()}`, 'W/"1"', '"0"', '""', '"1."']) {
      expect((await set(ifMatch)).status, ifMatch).to.equal(412);
    }
  });

  it('refuses a value that is not a list of tags', async () => {
    for (const ifMatch of [
      '1',
      '"1',
      '1"',
      '"1" "2"',
      'w/"1"',
      '"1",*',
      '',
      ' ',
      ',',
      "'1'",
      `${' '.repeat(100_000)}x`,
    ]) {
      const { status, json: document } = await order('stop-api', ifMatch);
      expect(status, JSON.stringify(ifMatch.slice(0, 20))).to.equal(400);
      expect(document.detail).to.match(/^If-Match must be/);
    }
  });

  it('is checked last: 400 and 409 come first', async () => {
    expect((await order('set-worker', '"77"', { workerId: -1 })).status).to.equal(400);
    expect((await order('start-api', '"77"')).json).to.include({ status: 409, detail: 'Already started' });
  });

  it('has a different tag per desired state, even if generations restart, and per node', async () => {
    const [first] = await Promise.all([tag()]);
    const reset = await startOperatorSide({ config: { workerId: 5 } });
    const answer = await reset.call('/api/v1/state', { method: 'GET', headers: bearer(await reset.access()) });
    expect(answer.json.generation).to.equal(0);
    expect(answer.headers.etag).not.to.equal(first);
    const refused = await reset.call('/api/v1/stop-api', {
      headers: { ...bearer(await reset.access()), 'if-match': first },
    });
    expect(refused.status).to.equal(412);
    await reset.close();
  });

  it('treats buckets as a set, independent of order', async () => {
    await operator.command('set-buckets', { buckets: ['1:0', '1:1'] });
    const before = await tag();
    await operator.command('set-buckets', { buckets: ['1:1', '1:0'] });
    expect((await order('stop-api', before)).status).to.equal(200);
  });

  it('is evaluated when the command reaches the node, not when it arrives', async () => {
    await operator.command('stop-api');
    let listening = (): void => {};
    operator.effects.listen = () =>
      new Promise((resolve) => {
        listening = resolve;
      });
    const starting = operator.command('start-api');
    while ((await read()).json.publicApi !== 'starting');
    const meant = await tag();
    const late = order('set-worker', meant, { workerId: 5 });
    const previewed = await operator.call('/api/v1/set-worker?dryRun=true', {
      headers: { ...bearer(await operator.access()), ...json, 'if-match': meant },
      body: '{"workerId":5}',
    });
    expect(previewed.json).to.include({ status: 412, generation: 2 });
    listening();
    expect((await starting).status).to.equal(200);
    expect((await late).json).to.include({ status: 412, generation: 2 });
  });

  it('accepts one of many commands for the same state', async () => {
    const meant = await tag();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => order('set-worker', meant, { workerId: at + 1 })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).to.deep.equal([200, ...new Array(11).fill(412)]);
  });

  it('consumes a request token, and writes an audit entry', async () => {
    const token = await operator.forRequest('stop-api');
    const headers = { ...bearer(token), 'if-match': '"77"' };
    expect((await operator.call('/api/v1/stop-api', { headers })).status).to.equal(412);
    expect((await operator.call('/api/v1/stop-api', { headers })).status).to.equal(401);
    expect(operator.audits[0]).to.deep.include({ command: 'stop-api', status: 412 });
  });
});
