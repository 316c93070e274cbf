// The data object that a row of the index and its bag describe.
import { expect } from 'chai';
import { dataObject } from '../../src/store/data-object.ts';
import { catalogueRow, copyRow, inBuckets, squidRow } from './rows.ts';

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

  it('has path, size, hash and type of its copy', () => {
    const copy = copyRow({ size: 7 });
    const { mtimeMs, ctimeMs, ino } = copy;
    const facts = { size: 7, mtimeMs, ctimeMs, ino };
    expect(dataObject('1042', squidRow('a', { size: null }), bag, copy, '/cache')).to.deep.equal({
      ...{ id: '1042', path: '/cache/42/1042', isCopy: true, size: 7, type: 'video/mp4', hash: 'zW1', verified: facts },
      ...{ accepted: true, buckets: ['1:0'] },
    });
    const notHashed = copyRow({ hash: null });
    expect(dataObject('7', squidRow('a', { hash: 'zW2' }), bag, notHashed, '/cache')).to.include({
      ...{ path: '/cache/07/7', hash: 'zW2', verified: null },
    });
  });

  it('has the stated type if the bytes of its copy have no signature', () => {
    const copy = copyRow({ type: 'application/octet-stream' });
    expect(dataObject('1', squidRow('a', { type: 'text/vtt' }), bag, copy, '/c').type).to.equal('text/vtt');
    expect(dataObject('1', squidRow('a'), bag, copy, '/c').type).to.equal('application/octet-stream');
    expect(dataObject('1', squidRow('a', { type: 'text/vtt' }), bag, copyRow(), '/c').type).to.equal('video/mp4');
  });

  it('is not served from a copy of another size or hash, or if it is not accepted, or has a file', () => {
    const copy = copyRow({ size: 7, hash: 'zW1' });
    const without = (row: ReturnType<typeof squidRow>) =>
      expect(dataObject('1', row, bag, copy, '/c')).to.deep.equal(dataObject('1', row, bag));
    without(squidRow('a', { size: 8 }));
    without(squidRow('a', { size: 7, hash: 'zW2' }));
    without(squidRow('a', { size: 7, accepted: false }));
    without(catalogueRow('a', 'one', { size: 7 }));
  });
});
