// Desired state: what commands make of it, and which objects it covers.
import { expect } from 'chai';
import fc from 'fast-check';
import {
  changeRecord,
  coverage,
  type DesiredState,
  desiredState,
  emptyRecord,
  sameDesiredState,
  settingsChange,
} from '../../machines/settings.ts';

const config: DesiredState = { workerId: 1, buckets: null, publicApi: 'running' };

describe('desired state', () => {
  it('is the config until a command has changed something', () => {
    expect(desiredState(config, emptyRecord)).to.deep.equal(config);
  });

  it('keeps changed keys, and leaves the others to the config', () => {
    const record = changeRecord(config, emptyRecord, { workerId: 2 });
    expect(record).to.deep.equal({ generation: 1, changes: { workerId: 2 } });
    expect(desiredState({ ...config, buckets: ['1:0'] }, record).buckets).to.deep.equal(['1:0']);
  });

  it('is a new generation only if it differs', () => {
    const once = changeRecord(config, emptyRecord, { buckets: ['1:0', '1:1'] });
    expect(changeRecord(config, once, { buckets: ['1:1', '1:0'] }).generation).to.equal(1);
    expect(changeRecord(config, once, { buckets: ['1:1'] }).generation).to.equal(2);
    expect(changeRecord(config, once, { buckets: ['1:1', '1:2'] }).generation).to.equal(2);
    expect(changeRecord(config, once, { buckets: null }).generation).to.equal(2);
    expect(changeRecord(config, emptyRecord, { publicApi: 'running' }).generation).to.equal(0);
    expect(changeRecord(config, emptyRecord, { publicApi: 'stopped' }).generation).to.equal(1);
  });

  it('stays fixed by a command that repeats what the config says, should the config change', () => {
    const record = changeRecord(config, emptyRecord, { workerId: 1 });
    expect(desiredState({ ...config, workerId: 5 }, record).workerId).to.equal(1);
  });

  it('takes buckets as a set', () => {
    expect(settingsChange({ type: 'set-buckets', buckets: ['1:1', '1:0', '1:1'] })).to.deep.equal({
      buckets: ['1:1', '1:0'],
    });
    expect(settingsChange({ type: 'set-buckets' })).to.deep.equal({ buckets: null });
    expect(settingsChange({ type: 'set-worker', workerId: 0 })).to.deep.equal({ workerId: 0 });
    const lists = fc.array(fc.constantFrom('1:0', '1:1', '2:0'), { minLength: 1 });
    const same = (a: string[], b: string[]) => sameDesiredState({ ...config, buckets: a }, { ...config, buckets: b });
    fc.assert(
      fc.property(
        lists,
        lists,
        (a, b) => same(a, b) === ([...new Set(a)].sort().join() === [...new Set(b)].sort().join()),
      ),
    );
  });
});

describe('coverage', () => {
  const workersOf = (bucket: string) => (bucket === '1:0' ? [3, 4] : []);

  it('is by bucket if buckets are set, for any worker', () => {
    const covers = coverage({ workerId: 3, buckets: ['1:1', '2:0'] }, workersOf);
    expect([covers(['1:0']), covers(['1:0', '2:0']), covers([])]).to.deep.equal([false, true, false]);
  });

  it("is the worker's own buckets where none are set", () => {
    expect(coverage({ workerId: 3, buckets: null }, workersOf)(['1:0'])).to.equal(true);
    expect(coverage({ workerId: 5, buckets: null }, workersOf)(['1:0'])).to.equal(false);
    expect(coverage({ workerId: 0, buckets: null }, () => [0])(['1:0'])).to.equal(true);
  });

  it('is nothing without either', () => {
    expect(coverage({ workerId: null, buckets: null }, workersOf)(['1:0'])).to.equal(false);
  });
});
