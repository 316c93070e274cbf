// Files as they are opened for delivery: from memory where they are small, and never older than a second.
import { execFile } from 'node:child_process';
import { rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type Copy, HotCache } from '../../src/public/hot-cache.ts';
import { Folder } from '../support/folder.ts';
import { until } from '../support/until.ts';
import { withJumpingClock } from '../support/wall-clock.ts';

describe('the hot cache', () => {
  let folder: Folder;
  let now: number;
  let path: string;

  beforeEach(async () => {
    folder = await Folder.make();
    now = 0;
    path = join(folder.path, 'file');
    await writeFile(path, 'first');
  });

  afterEach(() => folder.remove());

  const hotCache = (budget: number) => new HotCache(budget, () => now);

  it('looks at the disk again in time, by a clock that cannot be set', () =>
    withJumpingClock(-3_600_000, async () => {
      const kept = new HotCache(100_000);
      const first = await kept.open(path);
      await writeFile(path, 'other');
      await utimes(path, 5, 5);
      await until(async () => (await kept.open(path)) !== first);
    }));

  async function textOf(copy: Copy): Promise<string> {
    if ('bytes' in copy) return copy.bytes.toString();
    const text = await copy.handle.readFile('utf8');
    await copy.handle.close();
    return text;
  }

  it('keeps a small file in memory for a second, then looks at the disk again', async () => {
    const kept = hotCache(100_000);
    const first = await kept.open(path);
    expect(await kept.open(path)).to.equal(first);
    now = 1000;
    expect(await kept.open(path)).to.equal(first);
    await writeFile(path, 'other');
    await utimes(path, 5, 5);
    now = 1999;
    expect(await textOf(await kept.open(path))).to.equal('first');
    now = 2000;
    const second = await kept.open(path);
    expect([await textOf(second), second.mtimeMs]).to.deep.equal(['other', 5000]);
  });

  it('notices a file that another has taken the place of', async () => {
    const kept = hotCache(100_000);
    const { mtimeMs } = await kept.open(path);
    await writeFile(`${path}.new`, 'twice');
    await utimes(`${path}.new`, mtimeMs / 1000, mtimeMs / 1000);
    await rename(`${path}.new`, path);
    now = 1000;
    expect(await textOf(await kept.open(path))).to.equal('twice');
  });

  it('reads the disk again for another version of the file than the one in memory', async () => {
    const kept = hotCache(100_000);
    const first = await kept.open(path);
    await writeFile(path, 'second');
    expect(await kept.open(path, ({ size }) => size === 5)).to.equal(first);
    expect(await textOf(await kept.open(path, ({ size }) => size === 6))).to.equal('second');
    expect(await textOf(await kept.open(path))).to.equal('second');
  });

  it('hands out a descriptor for what is large, and for everything where nothing may be kept', async () => {
    for (const budget of [0, 16]) {
      const copy = await hotCache(budget).open(path);
      expect(copy).to.have.property('handle');
      expect([await textOf(copy), copy.size]).to.deep.equal(['first', 5]);
    }
  });

  it('keeps an empty file too', async () => {
    await writeFile(path, '');
    const kept = hotCache(100_000);
    expect(await kept.open(path)).to.equal(await kept.open(path));
  });

  it('keeps within its budget what many tiny files take, which is more than their bytes', async () => {
    const kept = hotCache(100_000);
    const first = await kept.open(path);
    for (let n = 0; n < 100; n += 1) {
      await writeFile(`${path}${n}`, 'x');
      await kept.open(`${path}${n}`);
    }
    expect(await kept.open(path)).not.to.equal(first);
  });

  it('does not take a folder or a pipe for a file, and does not wait for a pipe’s writer', async () => {
    const pipe = join(folder.path, 'pipe');
    await promisify(execFile)('mkfifo', [pipe]);
    for (const other of [pipe, folder.path, join(folder.path, 'none')]) {
      const code = await hotCache(0)
        .open(other)
        .catch((error: NodeJS.ErrnoException) => error.code);
      expect(code).to.equal('ENOENT');
    }
  });
});
