// A file is replaced as a whole, synced before the rename and again with its directory, or left as it was.
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeFileAtomically } from '../../src/base/atomic-file.ts';
import { codeOf } from '../../src/base/errors.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';

describe('atomic file', () => {
  let folder: Folder;
  let path: string;

  beforeEach(() => {
    folder = temporaryFolder();
    path = join(folder.path, 'file');
    folder.write('file', 'old');
  });

  afterEach(() => folder.remove());

  const failure = (writing: Promise<void>) =>
    writing.then(
      () => null,
      (error: unknown) => error,
    );
  const expectUntouched = () => {
    expect(readdirSync(folder.path)).to.deep.equal(['file']);
    expect(readFileSync(path, 'utf8')).to.equal('old');
  };

  it('replaces the contents, for its owner alone, and leaves nothing beside it', async () => {
    await writeFileAtomically(path, 'new');
    expect(readFileSync(path, 'utf8')).to.equal('new');
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder.path)).to.deep.equal(['file']);
  });

  it('syncs the directory once the new file is in place', async () => {
    const seen: string[] = [];
    const syncDirectory = async (directory: string) => {
      seen.push(directory, readFileSync(path, 'utf8'));
    };
    await writeFileAtomically(path, 'new', { syncDirectory });
    expect(seen).to.deep.equal([folder.path, 'new']);
  });

  it('rejects where the directory cannot be synced because the disk fails', async () => {
    const broken = Object.assign(new Error('broken'), { code: 'EIO' });
    const syncDirectory = () => Promise.reject(broken);
    expect(await failure(writeFileAtomically(path, 'new', { syncDirectory }))).to.equal(broken);
  });

  it('keeps the old file on a full disk, and removes the temporary one', async () => {
    symlinkSync('/dev/full', `${path}.tmp`);
    expect(codeOf(await failure(writeFileAtomically(path, 'new')))).to.equal('ENOSPC');
    expectUntouched();
  });

  it('keeps the old file when aborted before the rename', async () => {
    expect(await failure(writeFileAtomically(path, 'new', { signal: AbortSignal.abort() }))).to.include({
      name: 'AbortError',
    });
    expectUntouched();
  });
});
