// The directory in words, as the command line and the console show it.
import { expect } from 'chai';
import { directoryWords } from '../../src/client/directory-words.ts';
import type { DirectoryStatus } from '../../src/control/node-control.ts';

const status = (change: Partial<DirectoryStatus> = {}): DirectoryStatus => ({
  ...{ pid: 1, objects: 12_345, bags: 1, readAt: '2026-01-01T00:00:00.000Z', activity: 'idle', filesToHash: 0 },
  ...{ bagsRead: null, objectsRead: null, height: null, squidVersion: null },
  ...change,
});

describe('the directory in words', () => {
  it('gives the numbers of objects and bags', () => {
    expect(directoryWords(status())).to.equal('12,345 objects in 1 bag');
  });

  it('says that the directory has never been read completely', () => {
    expect(directoryWords(status({ objects: 0, bags: 0, readAt: null }))).to.equal(
      '0 objects in 0 bags; never read completely',
    );
  });

  it('shows progress, the squid, and a missing content process', () => {
    expect(directoryWords(status({ activity: 'reading', objectsRead: 1, bagsRead: 2, filesToHash: 3 }))).to.equal(
      '12,345 objects in 1 bag; reading: 1 object in 2 bags so far; 3 files to hash',
    );
    expect(directoryWords(status({ pid: null, height: 4321, squidVersion: '1.2' }))).to.equal(
      '12,345 objects in 1 bag; squid at block 4,321 (version 1.2); no content process',
    );
  });

  it('says that nothing is known before the first report', () => {
    expect(directoryWords(null)).to.equal('not known yet');
  });
});
