// What settings mean for the directory in the index.
import { expect } from 'chai';
import { memoryIndex } from '../../src/store/memory-index.ts';
import { bucketsOf, coverageChange, unknownBuckets } from '../../src/store/settings-preview.ts';
import { inBuckets, squidRow } from './rows.ts';

const nothing = { count: 0, bytes: 0, sizeUnknown: 0, ids: [] };

describe('a preview of settings', () => {
  const index = memoryIndex({ kind: 'squid', name: 'http://squid' });
  index.transact((tx) => {
    tx.putBucket('1:10', { workers: [1], distributing: true });
    tx.putBucket('1:2', { workers: [1, 2], distributing: true });
    tx.putBucket('3:0', { workers: [], distributing: true });
    tx.putBag('a', inBuckets('1:2'));
    tx.putBag('b', inBuckets('1:10', '3:0'));
    tx.putObject('1', squidRow('a', { size: 5 }));
    tx.putObject('2', squidRow('b', { size: null }));
    tx.putObject('3', squidRow('b', { accepted: false }));
    tx.putObject('4', squidRow('b', { size: 7 }));
  });
  const worker = (workerId: number) => ({ workerId, buckets: null });

  it('sums up what is dropped and gained, without objects that are not accepted', () => {
    const { dropped, gained } = coverageChange(index, worker(1), worker(2), 10);
    expect(dropped).to.deep.equal({ count: 2, bytes: 7, sizeUnknown: 1, ids: ['2', '4'] });
    expect(gained).to.deep.equal(nothing);
    expect(coverageChange(index, worker(2), { workerId: 2, buckets: ['3:0'] }, 1)).to.deep.equal({
      dropped: { count: 1, bytes: 5, sizeUnknown: 0, ids: ['1'] },
      gained: { count: 2, bytes: 7, sizeUnknown: 1, ids: ['2'] },
    });
  });

  it('lists the buckets of a worker in natural order', () => {
    expect(bucketsOf(index, 1)).to.deep.equal(['1:2', '1:10']);
    expect(bucketsOf(index, 9)).to.deep.equal([]);
  });

  it('names the buckets that the directory does not know', () => {
    expect(unknownBuckets(index, ['9:9', '3:0', '1:3'])).to.deep.equal(['9:9', '1:3']);
  });
});
