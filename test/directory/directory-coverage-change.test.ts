// The effect of a settings change over a whole directory, without blocking the event loop.
import { expect } from 'chai';
import { coverageChange } from '../../src/directory/directory-coverage-change.ts';
import { memoryDirectory } from '../../src/directory/memory-directory.ts';

describe('coverage change over a directory', () => {
  it('counts a hundred thousand objects without blocking the event loop', async () => {
    const objects = Array.from({ length: 100_000 }, (_, index) => ({
      ...{ id: String(index), buckets: [`1:${index % 1000}`], path: null, size: 3, type: null, hash: null },
      ...{ verified: null, accepted: true },
    }));
    const bucketWorkers = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`1:${at}`, [at % 2, 5]]));
    const directory = memoryDirectory({ objects, bucketWorkers });
    await directory.start();
    let turns = 0;
    const turning = setInterval(() => {
      turns += 1;
    }, 0);
    const before = { workerId: 0, buckets: null };
    const change = await coverageChange(directory, { before, after: { workerId: null, buckets: ['1:1'] }, maxIds: 3 });
    clearInterval(turning);
    expect(change.dropped).to.include({ count: 50_000, bytes: 150_000 });
    expect(change.gained).to.deep.equal({ count: 100, bytes: 300, sizeUnknown: 0, ids: ['1', '1001', '2001'] });
    expect(turns).to.be.greaterThan(3);
  });

  it('finds nothing in a directory before its first read', async () => {
    const settings = { workerId: 0, buckets: null };
    const change = await coverageChange(memoryDirectory(), { before: settings, after: settings, maxIds: 3 });
    expect([change.dropped.count, change.gained.count]).to.deep.equal([0, 0]);
  });
});
