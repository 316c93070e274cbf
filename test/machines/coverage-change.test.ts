// Which objects a change of settings drops and gains.
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import { type CoverageChange, CoverageComparison } from '../../machines/coverage-change.ts';

const object = (id: string, bucket: string, more: Partial<DataObject> = {}): DataObject => ({
  ...{ id, buckets: [bucket], path: `/films/${id}`, size: 10, type: null, hash: null, verified: null, accepted: true },
  ...more,
});

const workersOf = (bucket: string): readonly number[] => (bucket === 'a' ? [1] : bucket === 'b' ? [1, 2] : []);

function compare(objects: readonly DataObject[], after: object, maxIds = 10): CoverageChange {
  const before = { workerId: 1, buckets: null };
  const comparison = new CoverageComparison({ workersOf, before, after: { ...before, ...after }, maxIds });
  for (const one of objects) comparison.add(one);
  return comparison.result;
}

const nothing = { count: 0, bytes: 0, sizeUnknown: 0, ids: [] };

describe('coverage change', () => {
  const all = [object('1', 'a'), object('2', 'b'), object('3', 'c', { path: null })];

  it('is empty for the same settings', () => {
    expect(compare(all, {})).to.deep.equal({ dropped: nothing, gained: nothing });
  });

  it('drops what another worker does not hold', () => {
    const { dropped, gained } = compare(all, { workerId: 2 });
    expect(dropped).to.deep.equal({ count: 1, bytes: 10, sizeUnknown: 0, ids: ['1'] });
    expect(gained).to.deep.equal(nothing);
  });

  it('counts objects to be fetched as gained', () => {
    const { dropped, gained } = compare(all, { buckets: ['c'] });
    expect(dropped.ids).to.deep.equal(['1', '2']);
    expect(gained).to.deep.equal({ count: 1, bytes: 10, sizeUnknown: 0, ids: ['3'] });
  });

  it('ignores objects that are not served, and counts unknown sizes separately', () => {
    const some = [object('1', 'a', { accepted: false }), object('2', 'a', { size: null })];
    expect(compare(some, { workerId: 2 }).dropped).to.deep.equal({ count: 1, bytes: 0, sizeUnknown: 1, ids: ['2'] });
  });

  it('lists a limited number, and counts all', () => {
    const many = Array.from({ length: 2500 }, (_, index) => object(String(index), 'a'));
    const { dropped } = compare(many, { workerId: 2 }, 2);
    expect(dropped).to.deep.equal({ count: 2500, bytes: 25_000, sizeUnknown: 0, ids: ['0', '1'] });
  });
});
