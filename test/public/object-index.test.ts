// What a worker knows of the directory, whole and in parts.
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import { ObjectIndex } from '../../src/public/object-index.ts';

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

describe('the object index', () => {
  it('counts the objects with a file, and their bytes', () => {
    const objectIndex = new ObjectIndex({ workerId: null, buckets: null });
    objectIndex.apply(replaced([object('1'), object('2', { size: null }), object('3', { path: null })]));
    expect(objectIndex.files).to.deep.equal({ count: 2, bytes: 10 });
    objectIndex.apply({
      type: 'updated',
      objects: [object('2', { size: 5 }), object('3'), object('1', { path: null })],
    });
    expect(objectIndex.files).to.deep.equal({ count: 2, bytes: 15 });
  });

  it('takes over a directory in parts only when it is whole', () => {
    const objectIndex = new ObjectIndex({ workerId: null, buckets: null });
    objectIndex.apply(replaced([object('1')]));
    objectIndex.apply(replaced([object('2')]), true);
    objectIndex.apply({ type: 'updated', objects: [object('3')] }, true);
    expect([objectIndex.find('1')?.id, objectIndex.find('2'), objectIndex.find('3')]).to.deep.equal([
      '1',
      undefined,
      undefined,
    ]);
    objectIndex.apply({ type: 'updated', objects: [object('4')] });
    expect(['1', '2', '3', '4'].map((id) => objectIndex.find(id)?.id)).to.deep.equal([undefined, '2', '3', '4']);
    expect(objectIndex.files.count).to.equal(3);
  });

  it('covers what the settings and the directory say together, whichever changed last', () => {
    const objectIndex = new ObjectIndex({ workerId: 3, buckets: null });
    expect(objectIndex.covers(['1:0'])).to.equal(false);
    objectIndex.apply(replaced([], { '1:0': [3], __proto__: [3] }));
    expect(objectIndex.covers(['1:0'])).to.equal(true);
    expect(objectIndex.covers(['constructor'])).to.equal(false);
    objectIndex.configure({ workerId: 4, buckets: null });
    expect(objectIndex.covers(['1:0'])).to.equal(false);
    expect(objectIndex.settings.workerId).to.equal(4);
  });
});
