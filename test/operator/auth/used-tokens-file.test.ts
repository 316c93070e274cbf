// Used request tokens on disk: what a crash, a torn line, a full disk and a lost directory do to them.
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { directorySync } from '../../../src/base/sync-directory.ts';
import { sha256 } from '../../../src/client/sign-token.ts';
import { openUsedTokens, type UsedTokensFileOptions } from '../../../src/operator/auth/used-tokens-file.ts';
import { noDirectorySync } from '../../support/no-directory-sync.ts';
import { until } from '../../support/until.ts';

const key = (name: string): string => sha256(name);

describe('used tokens in a file', () => {
  let folder: string;
  let file: string;
  let now: number;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'used-tokens-'));
    file = join(folder, 'state', 'used-tokens');
    now = 0;
  });
  // A write that was not waited for may still put a file there.
  afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

  /** Reopening without closing simulates a restart after kill -9. */
  const open = (options: Partial<UsedTokensFileOptions> = {}) =>
    openUsedTokens({
      file,
      max: 1000,
      now: () => now,
      writeTimeoutMs: 60_000,
      retryMs: 20,
      syncDirectory: directorySync(),
      ...options,
    });
  const linesOf = async (): Promise<string[]> => (await readFile(file, 'utf8')).split('\n').slice(0, -1);

  it('are still used after a restart', async () => {
    const before = await open();
    for (const name of ['a', 'b']) expect(await before.take(key(name), 10)).to.equal('taken');
    const after = await open();
    expect([await after.take(key('a'), 10), await after.take(key('c'), 10)]).to.deep.equal(['replayed', 'taken']);
    expect(after.conditions).to.deep.equal([]);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it('are on disk when `take` resolves, also many at once', async () => {
    const used = await open();
    await Promise.all(Array.from({ length: 200 }, (_, index) => used.take(key(`${index}`), 10)));
    expect(await linesOf()).to.have.length(200);
    expect(await used.take(key('7'), 10)).to.equal('replayed');
  });

  it('are still used after a restart in which the clock was ahead, or after which it is set back', async () => {
    const before = await open();
    await before.take(key('a'), 300);
    now = 1000;
    const ahead = await open();
    expect(await ahead.take(key('b'), 1300)).to.equal('taken');
    now = 100;
    expect(await ahead.take(key('a'), 300)).to.equal('replayed');
    const after = await open();
    expect([await after.take(key('a'), 300), await after.take(key('c'), 400)]).to.deep.equal(['replayed', 'taken']);
  });

  it('are refused after a restart too where they were forgotten and the clock is set back', async () => {
    const before = await open({ max: 1 });
    await before.take(key('a'), 300);
    now = 301;
    await before.take(key('b'), 601);
    // With the file gone, what is written is what is remembered.
    await rm(file);
    now = 602;
    await before.take(key('c'), 902);
    expect(await linesOf()).to.deep.equal(['601 forgotten', `902 ${key('c')}`]);
    now = 100;
    const after = await open({ max: 1 });
    expect(await after.take(key('a'), 300)).to.equal('forgotten');
    expect(await linesOf()).to.deep.equal(['601 forgotten', `902 ${key('c')}`]);
  });

  it('do not let the file grow without end', async () => {
    const used = await open({ max: 100 });
    let longest = 0;
    for (let round = 0; round < 30; round++) {
      now = round * 100;
      await Promise.all(Array.from({ length: 50 }, (_, index) => used.take(key(`${round} ${index}`), now + 10)));
      longest = Math.max(longest, (await linesOf()).length);
    }
    expect(longest).to.be.within(500, 1300);
    expect(await used.take(key('29 7'), now + 10)).to.equal('replayed');
  });

  it('survive a torn last line, and entries after it', async () => {
    const before = await open();
    await before.take(key('a'), 10);
    await before.take(key('torn'), 10);
    await truncate(file, (await stat(file)).size - 5);
    const after = await open();
    expect(await after.take(key('b'), 10)).to.equal('taken');
    const last = await open();
    expect([await last.take(key('a'), 10), await last.take(key('b'), 10)]).to.deep.equal(['replayed', 'replayed']);
  });

  it('survive a file full of something else', async () => {
    await mkdir(join(folder, 'state'));
    await writeFile(file, Buffer.from([0, 255, 10, 13, 49, 32, 120, 10]));
    await appendFile(file, `99999999999999999999 ${key('a')}\n10 ${key('b')}\n-1 ${key('c')}\n`);
    const used = await open();
    expect(await linesOf()).to.deep.equal([`10 ${key('b')}`]);
    expect(used.conditions).to.deep.equal([]);
  });

  it('are all rewritten if the file is gone or replaced', async () => {
    const used = await open();
    await used.take(key('a'), 10);
    await rm(file);
    await used.take(key('b'), 10);
    expect(await linesOf()).to.have.length(2);
    await appendFile(file, 'x');
    await used.take(key('c'), 10);
    expect((await linesOf()).map((line) => line.slice(3))).to.have.members([key('a'), key('b'), key('c')]);
  });

  it('are taken in memory alone where they cannot be written, with a condition until they can', async () => {
    const used = await open();
    await rm(join(folder, 'state'), { recursive: true });
    await writeFile(join(folder, 'state'), 'a file where the directory was');
    expect(await used.take(key('a'), 10)).to.equal('taken');
    expect(await used.take(key('a'), 10)).to.equal('replayed');
    expect(used.conditions.map(({ type }) => type)).to.deep.equal(['UsedTokensNotSaved']);
    await rm(join(folder, 'state'));
    // A removed directory is not recreated.
    expect(await used.take(key('c'), 10)).to.equal('taken');
    expect(used.conditions).to.have.length(1);
    await mkdir(join(folder, 'state'));
    expect(await used.take(key('b'), 10)).to.equal('taken');
    expect(used.conditions).to.deep.equal([]);
    expect(await linesOf()).to.have.length(3);
  });

  it('are written as soon as possible, without a further token', async () => {
    const used = await open();
    await rm(join(folder, 'state'), { recursive: true });
    expect(await used.take(key('a'), 10)).to.equal('taken');
    expect(used.conditions).to.have.length(1);
    await mkdir(join(folder, 'state'));
    await until(() => used.conditions.length === 0);
    expect(await linesOf()).to.have.length(1);
  });

  it('start with a condition where the file cannot be read', async () => {
    await mkdir(file, { recursive: true });
    const used = await open();
    expect(used.conditions).to.have.length(1);
    expect(await used.take(key('a'), 10)).to.equal('taken');
    await chmod(file, 0o700);
  });

  it('are on disk where their directory cannot be synced, without a condition', async () => {
    const syncDirectory = directorySync(undefined, noDirectorySync);
    const used = await open({ syncDirectory });
    expect(await used.take(key('a'), 10)).to.equal('taken');
    expect(used.conditions).to.deep.equal([]);
    expect(await (await open({ syncDirectory })).take(key('a'), 10)).to.equal('replayed');
  });

  it('do not wait for a disk that hangs', async () => {
    const used = await open({ writeTimeoutMs: 0 });
    expect(await used.take(key('a'), 10)).to.equal('taken');
    await used.close();
  });
});
