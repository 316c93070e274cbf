// The directory in memory passes on to its listeners what a test sets.
import { expect } from 'chai';
import { condition } from '../../src/base/condition.ts';
import { memoryDirectory } from '../../src/directory/memory-directory.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import { observe } from '../support/directory-observer.ts';

const index = () => memoryIndex({ kind: 'catalogue', name: '/films/catalogue.yml' });

describe('the directory in memory', () => {
  it('has all objects in the index when start returns: with a file, without one, and not accepted', () => {
    const facts = { size: 3, mtimeMs: 1, ctimeMs: 2, ino: 3 };
    const objects = [
      {
        id: '1',
        hash: 'a',
        path: '/films/1',
        size: 3,
        type: 'text/plain',
        verified: facts,
        accepted: true,
        buckets: ['b'],
      },
      {
        id: '2',
        hash: 'a',
        path: '/films/2',
        size: 3,
        type: null,
        verified: null,
        accepted: true,
        buckets: ['b', 'c'],
      },
      { id: '3', hash: null, path: null, size: null, type: null, verified: null, accepted: true, buckets: [] },
      { id: '4', hash: 'a', path: null, size: 7, type: null, verified: null, accepted: false, buckets: ['b'] },
    ];
    const store = index();
    const directory = memoryDirectory(store, { objects, bucketWorkers: {} });
    directory.start();
    const { object, ids } = observe(directory, store);
    expect(ids().map(object)).to.deep.equal(objects);
  });

  it('raises and clears conditions', () => {
    const directory = memoryDirectory(index());
    const heard: string[][] = [];
    directory.subscribe(() => heard.push(directory.conditions.map(({ type }) => type)));
    directory.setConditions([condition('CatalogueInvalid', 'Missing', 'no file')]);
    directory.setConditions([condition('CatalogueInvalid', 'Missing', 'no file')]);
    directory.setConditions([]);
    directory.setConditions([]);
    expect(heard).to.deep.equal([['CatalogueInvalid'], []]);
  });

  it('records reports of bad copies', () => {
    const directory = memoryDirectory(index());
    directory.reportBadCopy('1');
    directory.reportBadCopy('2');
    expect(directory.badCopies).to.deep.equal(['1', '2']);
  });
});
