// An unsupported directory sync causes one warning; a failing disk is an error.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { codeOf } from '../../src/base/errors.ts';
import { directorySync } from '../../src/base/sync-directory.ts';

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

describe('a directory', () => {
  it('is synced without a warning where that is supported', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sync-'));
    const warnings: string[] = [];
    await directorySync((line) => warnings.push(line))(folder);
    expect(warnings).to.be.empty;
    await rm(folder, { recursive: true });
  });

  it('on a file system that cannot sync it causes one warning and no error', async () => {
    const warnings: string[] = [];
    // The file system of processes is a real one of this kind: it answers EINVAL.
    const sync = directorySync((line) => warnings.push(line));
    await sync('/proc');
    await sync('/proc');
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain('/proc cannot sync a directory (EINVAL)');
    for (const code of ['ENOTSUP', 'ENOSYS', 'EPERM']) await directorySync(undefined, failing(code))('/any');
  });

  it('on a broken, full or missing disk causes an error', async () => {
    for (const code of ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE']) {
      const error = await directorySync(undefined, failing(code))('/any').catch((it: unknown) => it);
      expect(codeOf(error)).to.equal(code);
    }
    const gone = await directorySync()('/nowhere/at/all').catch((it: unknown) => it);
    expect(codeOf(gone)).to.equal('ENOENT');
  });
});
