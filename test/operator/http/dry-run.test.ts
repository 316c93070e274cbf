// `?dryRun=true`: what a command would do, said without doing it.
import { expect } from 'chai';
import { condition } from '../../../src/base/condition.ts';
import { bearer, json, type OperatorSide, startOperatorSide } from '../../support/harness.ts';

describe('a dry run', () => {
  let operator: OperatorSide;
  beforeEach(async () => {
    operator = await startOperatorSide();
  });
  afterEach(() => operator.close());

  const state = async () =>
    (await operator.call('/api/v1/state', { method: 'GET', headers: bearer(await operator.access()) })).json;
  const dryRun = (name: string, body?: object, query = 'dryRun=true') => operator.command(`${name}?${query}`, body);

  it('previews a command without an effect', async () => {
    const before = await state();
    const stop = await dryRun('stop-api');
    expect(stop.status).to.equal(200);
    expect(stop.json).to.deep.include({ dryRun: true, command: 'stop-api', objects: null, conditions: [] });
    expect(stop.json.before).to.deep.include({ publicApi: 'running', generation: 0 });
    expect(stop.json.after).to.deep.equal({
      ...{ node: 'running', publicApi: 'stopped', generation: 1 },
      settings: { workerId: null, buckets: null },
      effectiveBuckets: [],
      allowed: ['start-api', 'shutdown', 'set-worker', 'set-buckets'],
    });
    const down = await dryRun('shutdown');
    expect(down.json.after).to.deep.include({ node: 'shuttingDown', publicApi: 'stopped', generation: 0 });
    expect(await state()).to.deep.equal(before);
  });

  it('names the buckets and objects that settings would drop and gain', async () => {
    const { json: preview } = await dryRun('set-worker', { workerId: 3 });
    expect(preview.after).to.deep.include({ generation: 1, effectiveBuckets: ['3:0', '3:1'] });
    expect(preview.objects).to.deep.equal({
      dropped: { count: 0, bytes: 0, sizeUnknown: 0, ids: [] },
      gained: { count: 1, bytes: 7, sizeUnknown: 0, ids: ['42'] },
    });
    expect((await state()).generation).to.equal(0);
  });

  it('says why the objects are not known, if the content process cannot tell', async () => {
    operator.content.answer = new Error('The content process did not answer within 2000 ms');
    const { status, json: preview } = await dryRun('set-worker', { workerId: 3 });
    expect(status).to.equal(200);
    expect(preview).to.deep.include({
      objects: null,
      objectsUnknown: 'The content process did not answer within 2000 ms',
    });
    expect(preview.after).to.deep.include({ effectiveBuckets: ['3:0', '3:1'] });
  });

  it('lists the conditions that would hold', async () => {
    operator.conditionSources.push(({ buckets }) =>
      (buckets ?? []).map((id) => condition('UnknownBuckets', 'NotInDirectory', `No ${id}.`)),
    );
    const { json: preview } = await dryRun('set-buckets', { buckets: ['9:9'] });
    expect(preview.conditions).to.deep.equal([condition('UnknownBuckets', 'NotInDirectory', 'No 9:9.')]);
    expect((await state()).conditions).to.deep.equal([]);
  });

  it('is refused as the command would be: 400, 409, 412', async () => {
    expect((await dryRun('set-worker', { workerId: -1 })).status).to.equal(400);
    expect((await dryRun('start-api')).json).to.deep.include({
      ...{ status: 409, detail: 'Already started' },
      state: { node: 'running', publicApi: 'running' },
    });
    const headers = { ...bearer(await operator.access()), 'if-match': '"8"' };
    const late = await operator.call('/api/v1/stop-api?dryRun=true', { headers });
    expect(late.json).to.deep.include({ status: 412, generation: 0 });
  });

  it('needs a token that may give commands, for this very URL, and uses it up', async () => {
    const reading = await operator.access({ scope: 'read' });
    expect((await operator.command('stop-api?dryRun=true', {}, reading)).status).to.equal(403);
    const inEarnest = await operator.forRequest('stop-api');
    expect((await operator.command('stop-api?dryRun=true', {}, inEarnest)).status).to.equal(401);
    const token = await operator.forRequest('stop-api?dryRun=true');
    expect((await operator.command('stop-api', {}, token)).status).to.equal(401);
    expect((await operator.command('stop-api?dryRun=true', {}, token)).status).to.equal(200);
    expect((await operator.command('stop-api?dryRun=true', {}, token)).json.detail).to.match(/has been used/);
  });

  it('is not audited, unless its token is refused', async () => {
    await dryRun('stop-api');
    await dryRun('start-api');
    expect(operator.audits).to.deep.equal([]);
    await operator.command('stop-api?dryRun=true', {}, 'nonsense');
    expect(operator.audits).to.have.lengthOf(1);
  });

  it('is evaluated in the state that the current step leads to, without waiting', async () => {
    await operator.command('stop-api');
    let listening = (): void => {};
    operator.effects.listen = () =>
      new Promise((resolve) => {
        listening = resolve;
      });
    const starting = operator.command('start-api');
    while ((await state()).publicApi !== 'starting');
    const preview = await dryRun('stop-api');
    expect(preview.json.before).to.deep.include({ publicApi: 'running', generation: 2 });
    expect((await dryRun('start-api')).json).to.deep.include({
      detail: 'Already starting',
      state: { node: 'running', publicApi: 'starting' },
    });
    expect((await dryRun('shutdown')).json.before).to.deep.include({ publicApi: 'starting', generation: 1 });
    listening();
    expect((await starting).json).to.include({ publicApi: 'running', generation: 2 });
  });

  it('accepts only true or false, and no misspelt parameter', async () => {
    expect((await dryRun('stop-api', {}, 'dryRun=false&also=this')).json).to.include({ publicApi: 'stopped' });
    for (const query of ['dryRun', 'dryRun=', 'dryRun=1', 'dryRun=True', 'dryRun=true&dryRun=true']) {
      expect((await dryRun('start-api', {}, query)).json.detail, query).to.equal('dryRun must be true or false, once');
    }
    for (const query of ['dryrun=true', 'dry-run=true', 'dry_run', 'DRYRUN=1', 'drRun=true', 'is-dry', '%64ry=1']) {
      const { status, json: document } = await dryRun('start-api', {}, query);
      expect(status, query).to.equal(400);
      expect(document.detail).to.match(/did you mean dryRun/);
    }
    expect(await state()).to.include({ publicApi: 'stopped', generation: 1 });
  });

  it('is checked after the body', async () => {
    const answer = await operator.call('/api/v1/set-worker?dryRun=maybe', {
      headers: { ...bearer(await operator.access()), ...json },
      body: '{"workerId": -1}',
    });
    expect(answer.json.detail).to.match(/^\/workerId/);
  });
});
