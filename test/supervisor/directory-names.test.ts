// What the control process knows of buckets and workers before, during and after the first reading.
import { expect } from 'chai';
import { KnownNames } from '../../src/supervisor/directory-names.ts';

const bucketWorkers = { '1:10': [3], '1:2': [3, 4], '9:9': [] };

describe('known names', () => {
  it('are unknown before the first report', () => {
    const names = new KnownNames();
    expect([names.has('1:2'), names.bucketsOf(3)]).to.deep.equal([null, null]);
  });

  it('are final once the directory has been read', () => {
    const names = new KnownNames();
    names.set({ bucketWorkers, isComplete: true });
    expect(['1:2', '9:9', '5:5', 'toString'].map((id) => names.has(id))).to.deep.equal([true, true, false, false]);
    expect(names.bucketsOf(3)).to.deep.equal(['1:2', '1:10']);
    expect(names.bucketsOf(3)).to.equal(names.bucketsOf(3));
    expect(names.bucketsOf(7)).to.deep.equal([]);
  });

  it('are unknown if an incomplete list does not contain them', () => {
    const names = new KnownNames();
    names.set({ bucketWorkers, isComplete: false });
    expect([names.has('1:2'), names.has('5:5')]).to.deep.equal([true, null]);
    expect([names.bucketsOf(4), names.bucketsOf(7)]).to.deep.equal([['1:2'], null]);
    names.set({ bucketWorkers: {}, isComplete: true });
    expect([names.has('1:2'), names.bucketsOf(4)]).to.deep.equal([false, []]);
  });
});
