// What a worker knows of the directory, whole and in parts.
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import { Holdings } from '../../src/public/holdings.ts';

const object = (id: string, facts: Partial<DataObject> = {}): DataObject => ({
  id,
  path: `/files/${id}`,
  size: 10,
  type: null,
  hash: null,
  verified: null,
  accepted: true,
  buckets: ['1:0'],
  ...facts,
});

const replaced = (objects: DataObject[], bucketWorkers: Record<string, number[]> = {}) =>
  ({ type: 'replaced', snapshot: { objects, bucketWorkers } }) as const;

describe('the holdings of a worker', () => {
  it('counts the objects with a file, and their bytes', () => {
    const holdings = new Holdings({ workerId: null, buckets: null });
    holdings.apply(replaced([object('1'), object('2', { size: null }), object('3', { path: null })]));
    expect(holdings.files).to.deep.equal({ count: 2, bytes: 10 });
    holdings.apply({ type: 'updated', objects: [object('2', { size: 5 }), object('3'), object('1', { path: null })] });
    expect(holdings.files).to.deep.equal({ count: 2, bytes: 15 });
  });

  it('takes over a directory in parts only when it is whole', () => {
    const holdings = new Holdings({ workerId: null, buckets: null });
    holdings.apply(replaced([object('1')]));
    holdings.apply(replaced([object('2')]), true);
    holdings.apply({ type: 'updated', objects: [object('3')] }, true);
    expect([holdings.find('1')?.id, holdings.find('2'), holdings.find('3')]).to.deep.equal(['1', undefined, undefined]);
    holdings.apply({ type: 'updated', objects: [object('4')] });
    expect(['1', '2', '3', '4'].map((id) => holdings.find(id)?.id)).to.deep.equal([undefined, '2', '3', '4']);
    expect(holdings.files.count).to.equal(3);
  });

  it('covers what the settings and the directory say together, whichever changed last', () => {
    const holdings = new Holdings({ workerId: 3, buckets: null });
    expect(holdings.covers(['1:0'])).to.equal(false);
    holdings.apply(replaced([], { '1:0': [3], __proto__: [3] }));
    expect(holdings.covers(['1:0'])).to.equal(true);
    expect(holdings.covers(['constructor'])).to.equal(false);
    holdings.configure({ workerId: 4, buckets: null });
    expect(holdings.covers(['1:0'])).to.equal(false);
    expect(holdings.settings.workerId).to.equal(4);
  });
});
