// The data object that a row of the index and its bag describe.
import { expect } from 'chai';
import { dataObject } from '../../src/store/data-object.ts';
import { catalogueRow, inBuckets, squidRow } from './rows.ts';

describe('a data object', () => {
  const bag = inBuckets('1:0');

  it('without a file is what the directory states', () => {
    expect(dataObject('42', squidRow('a', { size: 7, type: 'video/mp4', hash: 'zW1' }), bag)).to.deep.equal({
      ...{ id: '42', path: null, size: 7, type: 'video/mp4', hash: 'zW1', verified: null },
      ...{ accepted: true, buckets: ['1:0'] },
    });
    expect(dataObject('42', squidRow('a', { accepted: false }), bag)).to.include({ accepted: false, path: null });
  });

  it('has path, size, type and hash of its file', () => {
    const facts = { size: 7, mtimeMs: 1.5, ctimeMs: 2.25, ino: 2 ** 40 };
    expect(dataObject('42', catalogueRow('a', 'one', { size: 7 }), bag)).to.deep.equal({
      ...{ id: '42', path: '/films/one', size: 7, type: 'video/mp4', hash: 'zW1', verified: facts },
      ...{ accepted: true, buckets: ['1:0'] },
    });
  });

  it('prefers the type and hash that the directory states, and is verified once its file is hashed', () => {
    const row = catalogueRow('a', 'one');
    const stated = { ...row, type: 'text/plain', hash: 'zW2' };
    expect(dataObject('42', stated, bag)).to.include({ type: 'text/plain', hash: 'zW2' });
    const notHashed = { ...stated, file: row.file && { ...row.file, hash: null } };
    expect(dataObject('42', notHashed, bag)).to.include({ verified: null, hash: 'zW2', path: '/films/one' });
  });

  it('is not accepted, and has no path, if there is no file or it is damaged', () => {
    const problem = { kind: 'damaged', message: 'has 9 bytes, not 8' } as const;
    for (const row of [catalogueRow('a', 'gone', { found: null }), catalogueRow('a', 'one', { size: 9, problem })]) {
      expect(dataObject('42', { ...row, size: 8 }, bag)).to.include({
        ...{ path: null, accepted: false, verified: null, size: 8, hash: null },
      });
    }
  });
});
