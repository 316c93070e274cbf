// Look-ups of single objects: bounds on queries, memory and waiting, the cache, and a squid that fails.
import { expect } from 'chai';
import type { Settings } from '../../../machines/settings.ts';
import type { LookUp } from '../../../src/ipc/look-up.ts';
import { type Fault, type SquidDouble, startSquidDouble } from '../../support/squid-double/squid-double.ts';
import { type SquidRig, squidRig, squidSetup } from '../../support/squid-rig.ts';
import { worldOf } from '../../support/squid-world.ts';
import { until } from '../../support/until.ts';

const nothing: Settings = { workerId: null, buckets: null };

describe('look-ups in a squid', () => {
  let double: SquidDouble;
  const rigs: SquidRig[] = [];
  beforeEach(async () => {
    double = await startSquidDouble(worldOf({ bags: 10, objects: 10 }));
  });
  afterEach(async () => {
    for (const { directory } of rigs.splice(0)) await directory.stop();
    await double.stop();
  });

  /** Started, and with nothing to sync; the first sync has ended. */
  async function rig(more: Parameters<typeof squidSetup>[1] = {}, settings: Settings = nothing): Promise<SquidRig> {
    const made = squidRig(squidSetup(double.url, more));
    rigs.push(made);
    await made.first(settings);
    return made;
  }

  /** The queries for look-ups. */
  const asked = () => double.asked.filter(({ name }) => name === 'Objects');

  const countOf = (answers: readonly LookUp[], result: LookUp['result']) =>
    answers.filter((answer) => answer.result === result).length;

  it('send one query for all waiting objects, and one at a time', async () => {
    const { directory } = await rig();
    const first = directory.lookUp('1');
    const answers = await Promise.all([
      first,
      ...[...'23456789'].map((id) => directory.lookUp(id)),
      directory.lookUp('2'),
    ]);
    expect(countOf(answers, 'found')).to.equal(10);
    expect(asked().map(({ variables }) => variables.ids)).to.deep.equal([
      ['1'],
      ['2', '3', '4', '5', '6', '7', '8', '9'],
    ]);
    expect(double.mostInFlight).to.equal(1);
  });

  it('are bounded under 10,000 random ids: few queries, few waiting, a small cache', async () => {
    const { directory } = await rig({ maxWaitingLookUps: 500, maxCachedLookUps: 200 });
    const ids = Array.from({ length: 10_000 }, (_, index) => String(1_000_000 + index * 7919));
    const answers = await Promise.all(ids.map((id) => directory.lookUp(id)));
    expect(countOf(answers, 'unknown')).to.equal(500);
    expect(countOf(answers, 'undecided')).to.equal(9500);
    expect(asked().length).to.be.within(5, 6);
    // The last 200 are cached, the ones before are not.
    await Promise.all(ids.slice(300, 500).map((id) => directory.lookUp(id)));
    expect(asked().length).to.be.within(5, 6);
    const before = asked().length;
    await directory.lookUp(ids[0] ?? '');
    expect(asked().length).to.equal(before + 1);
  });

  it('pause between two queries', async () => {
    const { directory, clock } = await rig({ lookUpPauseMs: 5000 });
    expect(await directory.lookUp('1')).to.deep.include({ result: 'found' });
    const second = directory.lookUp('2');
    await until(() => clock.resting === 2);
    expect(asked()).to.have.lengthOf(1);
    clock.wake();
    expect(await second).to.deep.include({ result: 'found' });
    expect(asked()).to.have.lengthOf(2);
  });

  it('cache every answer for the configured time, including negative ones', async () => {
    const { directory, clock } = await rig({ cacheMs: 10_000 });
    for (const id of ['1', '999', '1', '999']) await directory.lookUp(id);
    expect(asked()).to.have.lengthOf(2);
    clock.advance(10_001);
    for (const id of ['1', '999', '1', '999']) await directory.lookUp(id);
    expect(asked()).to.have.lengthOf(4);
  });

  it('cache nothing if the time is 0', async () => {
    const { directory } = await rig({ cacheMs: 0 });
    for (const id of ['1', '1', '1']) await directory.lookUp(id);
    expect(asked()).to.have.lengthOf(3);
  });

  it('send no query for impossible ids or for objects in the index', async () => {
    const { directory } = await rig({}, { workerId: null, buckets: ['1:0'] });
    const before = asked().length;
    for (const id of ['9'.repeat(41), '', '-1', '1"', 'x']) {
      expect(await directory.lookUp(id), id).to.deep.equal({ result: 'unknown' });
    }
    expect(await directory.lookUp('1')).to.deep.equal({
      result: 'found',
      object: {
        ...{ id: '1', path: null, size: 1001, type: null, hash: 'gWabc1', verified: null, accepted: true },
        buckets: ['1:0'],
      },
      bucketWorkers: { '1:0': [0] },
    });
    expect(asked().length).to.equal(before);
  });

  const schemaFault: Fault = {
    status: 400,
    type: 'application/json',
    body: '{"errors":[{"message":"no such field"}]}',
  };
  it('are undecided at once while the squid fails, and retry after a backoff', async () => {
    const { directory, clock } = await rig();
    double.fault = () => schemaFault;
    expect(await directory.lookUp('1')).to.deep.equal({ result: 'undecided' });
    expect(directory.conditions.map(({ reason }) => reason)).to.deep.equal(['OtherSchema']);
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, index) => directory.lookUp(String(index))));
    expect(countOf(answers, 'undecided')).to.equal(1000);
    expect(asked()).to.have.lengthOf(1);
    clock.advance(1001);
    double.fault = null;
    expect(await directory.lookUp('1')).to.deep.include({ result: 'found' });
    expect(directory.conditions).to.deep.equal([]);
  });

  it('back off longer after each failure, up to ten seconds', async () => {
    const { directory, clock } = await rig();
    double.fault = () => schemaFault;
    const restedMs: number[] = [];
    for (let failure = 0; failure < 6; failure += 1) {
      await directory.lookUp('1');
      const before = asked().length;
      for (let ms = 500; ; ms += 500) {
        clock.advance(500);
        await directory.lookUp('2');
        if (asked().length === before) continue;
        restedMs.push(ms);
        break;
      }
      clock.advance(20_000);
    }
    expect(restedMs[0]).to.be.within(500, 1000);
    expect(Math.max(...restedMs)).to.be.within(9500, 10_000);
  });

  it('of others succeed although the rows of one object are wrong, which is asked for once in a while', async () => {
    const { directory } = await rig();
    double.fault = ({ variables }) =>
      String(variables.ids).split(',').includes('13') ? { data: () => null } : undefined;
    const ids = Array.from({ length: 50 }, (_, index) => String(index + 1));
    const ask = async () => {
      const answers = await Promise.all(ids.map((id) => directory.lookUp(id)));
      return ids.filter((_, index) => answers[index]?.result !== 'found');
    };
    expect(await ask()).to.deep.equal(['13']);
    const before = asked().length;
    expect(before).to.be.most(51);
    expect(await ask()).to.deep.equal(['13']);
    expect(asked().length).to.equal(before);
  });

  it('stop soon when every answer is null', async () => {
    const { directory } = await rig();
    double.fault = ({ name }) => (name === 'Objects' ? { data: () => null } : undefined);
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, index) => directory.lookUp(String(index))));
    expect(countOf(answers, 'undecided')).to.equal(1000);
    expect(asked().length).to.be.most(5);
    expect(directory.conditions.map(({ reason }) => reason)).to.deep.equal(['QueryFailed']);
  });

  it('give up a squid that hangs', async () => {
    const { directory } = await rig({ lookUpTimeoutMs: 30 });
    double.fault = () => 'hang';
    const answers = await Promise.all(['1', '2', '3'].map((id) => directory.lookUp(id)));
    expect(countOf(answers, 'undecided')).to.equal(3);
    expect(directory.conditions.map(({ reason }) => reason)).to.deep.equal(['NoAnswer']);
    expect(asked()).to.have.lengthOf(1);
  });

  it('answer while a sync hangs', async () => {
    const { directory } = await rig();
    double.fault = ({ name }) => (name === 'Bags' ? 'hang' : undefined);
    directory.configure({ workerId: null, buckets: ['1:0'] });
    await until(() => double.asked.some(({ name }) => name === 'Bags'));
    expect(await directory.lookUp('1')).to.deep.include({ result: 'found' });
  });

  it('are undecided after a stop', async () => {
    const { directory } = await rig();
    double.fault = () => 'hang';
    const answer = directory.lookUp('1');
    await until(() => double.inFlight === 1);
    await directory.stop();
    expect(await answer).to.deep.equal({ result: 'undecided' });
  });
});
