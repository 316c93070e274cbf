// The directory in memory passes on to its listeners what a test sets.
import { expect } from 'chai';
import { condition } from '../../src/base/condition.ts';
import { memoryDirectory } from '../../src/directory/memory-directory.ts';
import { observe } from '../support/directory-observer.ts';

const object = (id: string, hash: string | null) => ({
  ...{ id, hash, path: `/films/${id}`, size: 1, type: 'text/plain', verified: null, accepted: true, buckets: ['b'] },
});

describe('the directory in memory', () => {
  it('reports updates of its objects only; updates before the start are part of the first read', async () => {
    const directory = memoryDirectory({ objects: [object('1', null), object('2', null)], bucketWorkers: {} });
    const observer = observe(directory);
    directory.update([object('1', 'first')]);
    await directory.start();
    directory.update([object('2', 'second'), object('9', 'unknown')]);
    expect(observer.changes).to.have.length(2);
    expect(observer.ids().map((id) => observer.object(id)?.hash)).to.deep.equal(['first', 'second']);
  });

  it('raises and clears conditions, each with the time it began', () => {
    const directory = memoryDirectory();
    const heard: string[][] = [];
    directory.subscribeConditions((conditions) => heard.push(conditions.map(({ type }) => type)));
    directory.setConditions([condition('CatalogueInvalid', 'NotRead', 'no answer')]);
    const [first] = directory.conditions;
    directory.setConditions([condition('CatalogueInvalid', 'NotRead', 'still no answer')]);
    expect(directory.conditions).to.deep.equal([{ ...first, message: 'still no answer' }]);
    directory.setConditions([]);
    directory.setConditions([]);
    expect(heard).to.deep.equal([['CatalogueInvalid'], ['CatalogueInvalid'], []]);
  });

  it('records reports of bad copies', () => {
    const directory = memoryDirectory();
    directory.doubt('1');
    directory.doubt('2');
    expect(directory.doubted).to.deep.equal(['1', '2']);
  });
});
