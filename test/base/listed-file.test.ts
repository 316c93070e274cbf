// An opened file is accepted as the listed one only at its listed path, with and without /proc.
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { assertListed, listedFlags } from '../../src/base/listed-file.ts';

const ways = { 'where the system has /proc': '/proc/self/fd', 'where it has none': '/nowhere' };

for (const [way, descriptors] of Object.entries(ways)) {
  describe(`a listed file, ${way}`, () => {
    let root: string;
    let path: string;

    beforeEach(() => {
      root = realpathSync(mkdtempSync(join(tmpdir(), 'listed-')));
      path = join(root, 'films', 'a');
      mkdirSync(join(root, 'films'));
      writeFileSync(path, 'a');
    });

    afterEach(() => rmSync(root, { recursive: true }));

    /** @param between runs between opening and checking */
    function isTaken(between = () => {}): boolean {
      const fd = openSync(path, listedFlags);
      try {
        between();
        assertListed(fd, path, fstatSync(fd), descriptors);
        return true;
      } catch (error) {
        expect(error).to.have.property('code', 'ENOENT');
        return false;
      } finally {
        closeSync(fd);
      }
    }

    const moveFolderAndLink = (target: string): void => {
      renameSync(join(root, 'films'), join(root, 'away'));
      symlinkSync(target, join(root, 'films'));
    };

    it('is accepted at its own path', () => {
      expect(isTaken()).to.be.true;
    });

    it('is rejected behind a link that has replaced its folder, even if it is the same file', () => {
      moveFolderAndLink('away');
      expect(isTaken()).to.be.false;
      mkdirSync(join(root, 'other'));
      linkSync(join(root, 'away', 'a'), join(root, 'other', 'a'));
      rmSync(join(root, 'films'));
      symlinkSync('other', join(root, 'films'));
      expect(isTaken()).to.be.false;
    });

    it('is rejected if it was opened behind a link that has since been removed', () => {
      mkdirSync(join(root, 'other'));
      writeFileSync(join(root, 'other', 'a'), 'a');
      moveFolderAndLink('other');
      const taken = isTaken(() => {
        rmSync(join(root, 'films'));
        renameSync(join(root, 'away'), join(root, 'films'));
      });
      expect(taken).to.be.false;
    });

    it('is rejected if it is a pipe or a folder, without waiting for a writer', () => {
      rmSync(path);
      execFileSync('mkfifo', [path]);
      expect(isTaken()).to.be.false;
      rmSync(path);
      mkdirSync(path);
      expect(isTaken()).to.be.false;
    });
  });
}

it('a listed file is accepted if another one has replaced it since it was opened', () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'listed-')));
  const path = join(root, 'a');
  writeFileSync(path, 'old');
  const fd = openSync(path, listedFlags);
  writeFileSync(`${path}.new`, 'new');
  renameSync(`${path}.new`, path);
  expect(() => assertListed(fd, path, fstatSync(fd))).not.to.throw();
  closeSync(fd);
  rmSync(root, { recursive: true });
});
