// Type and hash of a file are valid for exactly one state of the file.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nothingYet } from '../../../src/directory/catalogue/object-record.ts';
import { RememberedFiles } from '../../../src/directory/catalogue/remembered-hashes.ts';
import { type Folder, temporaryFolder } from '../../support/temporary-folder.ts';

const found = { path: '/films/a', size: 1, mtimeMs: 2.5, ctimeMs: 4.5, ino: 3 };
const workedOut = { type: 'video/mp4', hash: 'h', unreadable: null };

describe('remembered hashes', () => {
  let folder: Folder;
  let file: string;

  beforeEach(() => {
    folder = temporaryFolder();
    file = join(folder.path, 'state', 'hashes.json');
  });

  afterEach(() => folder.remove());

  const reload = () => {
    const files = new RememberedFiles(file);
    files.load();
    return files;
  };

  it('are valid after a restart for the same state of the file only', async () => {
    const before = reload();
    before.remember(found, workedOut);
    await before.save(() => true);
    const after = reload();
    expect(after.recall(found)).to.deep.equal(workedOut);
    for (const other of [{ path: '/films/b' }, { size: 2 }, { mtimeMs: 2 }, { ctimeMs: 4 }, { ino: 4 }]) {
      expect(after.recall({ ...found, ...other }), JSON.stringify(other)).to.deep.equal(nothingYet);
    }
  });

  it('are written atomically, and only after a change', async () => {
    const files = reload();
    await files.save(() => true);
    expect(readdirSync(folder.path)).to.be.empty;
    files.remember(found, workedOut);
    await files.save(() => true);
    expect(readdirSync(join(folder.path, 'state'))).to.deep.equal(['hashes.json']);
    const text = readFileSync(file, 'utf8');
    folder.write('state/hashes.json', 'gone');
    await files.save(() => true);
    expect(readFileSync(file, 'utf8')).to.equal('gone');
    files.remember(found, workedOut);
    await files.save(() => true);
    expect(readFileSync(file, 'utf8')).to.equal(text);
  });

  it('are dropped for files that are no longer listed', async () => {
    const files = reload();
    files.remember(found, workedOut);
    files.remember({ ...found, path: '/films/b' }, workedOut);
    await files.save((path) => path === '/films/b');
    expect(reload().recall(found)).to.deep.equal(nothingYet);
    expect(reload().recall({ ...found, path: '/films/b' })).to.deep.equal(workedOut);
  });

  it('are empty if the file is torn, foreign or of another version; an invalid entry affects no other', () => {
    for (const text of ['{"version":2,"fi', '{"version":3,"files":{}}', 'null', '[]', '{"version":2,"files":null}']) {
      folder.write('state/hashes.json', text);
      expect(reload, text).to.throw();
    }
    const good = [1, 2.5, 4.5, 3, 'video/mp4', 'h'];
    const rows = { '/films/a': good, '/b': [1, 2], '/c': ['1', 2, 3, 4, null, null], '/d': 0 };
    folder.write('state/hashes.json', JSON.stringify({ version: 2, files: rows }));
    expect(reload().recall(found)).to.deep.equal(workedOut);
    expect(reload().recall({ ...found, path: '/b' })).to.deep.equal(nothingYet);
  });

  it('are empty if saved without a ctime, which reveals an overwritten file', () => {
    const rows = { '/films/a': [1, 2.5, 3, 'video/mp4', 'h'] };
    folder.write('state/hashes.json', JSON.stringify({ version: 1, files: rows }));
    expect(reload).to.throw('is not of version 2');
    folder.write('state/hashes.json', JSON.stringify({ version: 2, files: rows }));
    expect(reload().recall(found)).to.deep.equal(nothingYet);
  });
});
