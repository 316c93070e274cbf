// Which objects a change of settings drops and gains.
import { expect } from 'chai';
import { type BagSum, type CoverageChange, coverageChange } from '../../machines/coverage-change.ts';

interface Bag extends BagSum {
  readonly ids: readonly string[];
}

/** Objects of ten bytes each. */
const bag = (bucket: string, ids: readonly string[], sizeUnknown = 0): Bag => ({
  ...{ distributionBuckets: [bucket], objects: ids.length, bytes: (ids.length - sizeUnknown) * 10, sizeUnknown, ids },
});

const workersOf = (bucket: string): readonly number[] => (bucket === 'a' ? [1] : bucket === 'b' ? [1, 2] : []);

function compare(bags: Readonly<Record<string, Bag>>, after: object, maxIds = 10): CoverageChange {
  const before = { workerId: 1, buckets: null };
  return coverageChange({
    ...{ bags: Object.entries(bags), objectsOf: (id) => bags[id]?.ids ?? [], workersOf },
    ...{ before, after: { ...before, ...after }, maxIds },
  });
}

const nothing = { count: 0, bytes: 0, sizeUnknown: 0, ids: [] };

describe('coverage change', () => {
  const all = { first: bag('a', ['1', '4']), second: bag('b', ['2']), third: bag('c', ['3']) };

  it('is empty for the same settings', () => {
    expect(compare(all, {})).to.deep.equal({ dropped: nothing, gained: nothing });
  });

  it('drops what another worker does not hold', () => {
    const { dropped, gained } = compare(all, { workerId: 2 });
    expect(dropped).to.deep.equal({ count: 2, bytes: 20, sizeUnknown: 0, ids: ['1', '4'] });
    expect(gained).to.deep.equal(nothing);
  });

  it('drops some and gains others', () => {
    const { dropped, gained } = compare(all, { buckets: ['c'] });
    expect(dropped).to.deep.equal({ count: 3, bytes: 30, sizeUnknown: 0, ids: ['1', '4', '2'] });
    expect(gained).to.deep.equal({ count: 1, bytes: 10, sizeUnknown: 0, ids: ['3'] });
  });

  it('counts unknown sizes separately, and ignores a bag without accepted objects', () => {
    const some = { first: bag('a', ['1', '2'], 1), empty: bag('a', []) };
    expect(compare(some, { workerId: 2 }).dropped).to.deep.equal({
      ...{ count: 2, bytes: 10, sizeUnknown: 1, ids: ['1', '2'] },
    });
  });

  it('lists at most the given number of ids, reads no more, and counts all', () => {
    const ids = Array.from({ length: 2500 }, (_, index) => String(index));
    let read = 0;
    const objectsOf = function* () {
      for (const id of ids) {
        read += 1;
        yield id;
      }
    };
    const settings = { workerId: 1, buckets: null };
    const { dropped } = coverageChange({
      ...{ bags: [['first', bag('a', ids)] as const, ['second', bag('a', ids)] as const], objectsOf, workersOf },
      ...{ before: settings, after: { ...settings, workerId: 2 }, maxIds: 2 },
    });
    expect(dropped).to.deep.equal({ count: 5000, bytes: 50_000, sizeUnknown: 0, ids: ['0', '1'] });
    expect(read).to.equal(2);
  });

  it('lists none if the number is 0', () => {
    expect(compare(all, { workerId: 2 }, 0).dropped).to.deep.equal({ count: 2, bytes: 20, sizeUnknown: 0, ids: [] });
  });
});
