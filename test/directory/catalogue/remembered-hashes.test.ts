// What was worked out of a file is remembered for exactly that state of that file.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { nothingYet } from '../../../src/directory/catalogue/object-record.ts';
import { RememberedFiles } from '../../../src/directory/catalogue/remembered-hashes.ts';
import { type Folder, temporaryFolder } from '../../support/temporary-folder.ts';

const found = { path: '/films/a', size: 1, mtimeMs: 2.5, ctimeMs: 4.5, ino: 3 };
const workedOut = { type: 'video/mp4', hash: 'h', unreadable: null };

describe('known files', () => {
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

  it('are known again after a restart, in that state and no other', async () => {
    const before = reload();
    before.remember(found, workedOut);
    await before.save(() => true);
    const after = reload();
    expect(after.recall(found)).to.deep.equal(workedOut);
    for (const other of [{ path: '/films/b' }, { size: 2 }, { mtimeMs: 2 }, { ctimeMs: 4 }, { ino: 4 }]) {
      expect(after.recall({ ...found, ...other }), JSON.stringify(other)).to.deep.equal(nothingYet);
    }
  });

  it('are written whole or not at all, and only when something is new', async () => {
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

  it('are forgotten when nobody wants them any more', async () => {
    const files = reload();
    files.remember(found, workedOut);
    files.remember({ ...found, path: '/films/b' }, workedOut);
    await files.save((path) => path === '/films/b');
    expect(reload().recall(found)).to.deep.equal(nothingYet);
    expect(reload().recall({ ...found, path: '/films/b' })).to.deep.equal(workedOut);
  });

  it('are none where the file is torn, of another version or of another make; a bad entry spoils no other', () => {
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

  it('are none where they were remembered without a ctime, by which an overwritten file is told', () => {
    const rows = { '/films/a': [1, 2.5, 3, 'video/mp4', 'h'] };
    folder.write('state/hashes.json', JSON.stringify({ version: 1, files: rows }));
    expect(reload).to.throw('is not of version 2');
    folder.write('state/hashes.json', JSON.stringify({ version: 2, files: rows }));
    expect(reload().recall(found)).to.deep.equal(nothingYet);
  });
});
