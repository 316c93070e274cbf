// The names of buckets and workers on their way to the control process: all of them, but never too many.
import { expect } from 'chai';
import { directoryNames } from '../../src/content/directory-names-report.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { BucketRow } from '../../src/store/object-index.ts';
import { KnownNames } from '../../src/supervisor/directory-names.ts';

function namesOf(buckets: Iterable<readonly [string, BucketRow]>): KnownNames {
  const index = memoryIndex({ kind: 'catalogue', name: '/catalogue.yml' });
  index.transact((tx) => {
    for (const [id, row] of buckets) tx.putBucket(id, row);
    tx.setRead('2026-11-23T08:00:00.000Z');
  });
  const names = new KnownNames();
  names.set(JSON.parse(JSON.stringify(directoryNames(index))));
  return names;
}

const bucket = (...workers: number[]): BucketRow => ({ workers, distributing: true });

describe('the report of names', () => {
  it('contains every name, whatever it is', () => {
    const names = namesOf([
      ['__proto__', bucket(3)],
      ['1:0', bucket(3, 4)],
    ]);
    expect([names.has('__proto__'), names.has('1:0'), names.has('constructor')]).to.deep.equal([true, true, false]);
    expect(names.bucketsOf(3)).to.have.members(['__proto__', '1:0']);
  });

  it('is bounded, also where few buckets have many workers', () => {
    const workers = Array.from({ length: 30_000 }, (_, worker) => worker);
    const names = namesOf([
      ['1:0', bucket(3)],
      ['2:0', bucket(...workers)],
    ]);
    expect([names.has('1:0'), names.has('2:0'), names.has('3:0')]).to.deep.equal([true, null, null]);
  });
});
