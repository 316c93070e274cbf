// The background work that keeps the files and the index of the cache in step.
import { readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { CacheSetup } from '../../src/ipc/content-messages.ts';
import { CacheRig } from '../support/cache-rig.ts';
import { bytesOf } from '../support/memory-sources.ts';
import { until } from '../support/until.ts';

describe('the cache in the background', () => {
  let rig: CacheRig;

  const open = (more: Partial<CacheSetup> = {}) => {
    rig = new CacheRig({ checkEveryMs: 30, ...more });
  };

  afterEach(async () => {
    await rig.end();
  });

  it('adopts a complete file that is not in the index, after hashing it', async () => {
    open();
    rig.write(rig.path('1042'), await rig.add('1042', 5000));
    rig.cache.start();
    await until(() => rig.index.copy('1042') !== undefined);
    expect(await rig.viewer('1042').ended()).to.equal('here');
    expect(rig.sources.fetched).to.deep.equal([]);
    expect(rig.isInStep).to.equal(true);
  });

  it("adopts the files of the replaced node's directory, and leaves the others there", async () => {
    open();
    const bytes = await rig.add('1042', 5000);
    await rig.add('1043', 5000);
    rig.write(join(rig.assets, '1042'), bytes);
    for (const name of ['1043', '99', 'notes.txt', '1042.part']) rig.write(join(rig.assets, name), bytes);
    rig.cache.start();
    await until(() => rig.index.copy('1042') !== undefined);
    await until(() => rig.files.includes('42/1042'));
    await rig.restart();
    expect(rig.files).to.deep.equal(['1042.part', '1043', '42/1042', '99', 'notes.txt']);
    expect(readFileSync(rig.path('1042')).equals(bytes)).to.equal(true);
  });

  it('removes files with wrong bytes or a wrong size, files that cannot be checked, and files of unknown objects', async () => {
    open();
    await rig.add('1', 5000);
    await rig.add('2', 5000);
    await rig.add('3', 5000, { hash: null, url: 'https://films.example/3' });
    const file = { name: '4', found: null, type: null, hash: null, problem: null };
    await rig.add('4', 5000, { file });
    rig.write(rig.path('1'), bytesOf('11', 5000));
    rig.write(rig.path('2'), bytesOf('2', 4999));
    for (const id of ['3', '4', '5']) rig.write(rig.path(id), bytesOf(id, 5000));
    const others = ['01/2', '01/x', '01/1.txt'];
    for (const name of others) rig.write(join(rig.assets, name), bytesOf('1', 10));
    rig.cache.start();
    await until(() => rig.files.length === others.length);
    expect(rig.files).to.deep.equal([...others].sort());
    expect(rig.log.join('\n'))
      .to.match(/object 1 .*hash is/)
      .and.match(/object 5 .*is not in the directory/);
  });

  it('keeps files of unknown objects while the directory may be incomplete', async () => {
    open();
    rig.isDirectoryCurrent = false;
    await rig.add('7', 10);
    rig.write(rig.path('5'), bytesOf('5', 10));
    rig.write(rig.path('7'), bytesOf('7', 10));
    rig.cache.start();
    await until(() => rig.index.copy('7') !== undefined);
    rig.write(rig.path('9'), await rig.add('9', 10));
    await until(() => rig.index.copy('9') !== undefined);
    expect(rig.has('5')).to.equal(true);
    rig.isDirectoryCurrent = true;
    await until(() => !rig.has('5'));
  });

  it('keeps the part of an object for a while after a restart, if it can be resumed', async () => {
    open({ checkEveryMs: 60_000 });
    await rig.add('1', 5000);
    rig.write(rig.part('1'), bytesOf('1', 2000));
    rig.write(rig.part('2'), bytesOf('2', 2000));
    rig.write(rig.path('9'), await rig.add('9', 10));
    rig.cache.start();
    await until(() => rig.index.copy('9') !== undefined);
    expect(rig.files).to.deep.equal(['01/1.part', '09/9']);
    expect(await rig.viewer('1').ended()).to.equal('here');
    expect(rig.sources.fetched).to.deep.equal([{ id: '1', from: 2000, tag: null }]);
  });

  it('removes parts that were not resumed', async () => {
    open();
    await rig.add('1', 5000);
    rig.write(rig.part('1'), bytesOf('1', 2000));
    rig.cache.start();
    await until(() => rig.files.length === 0);
  });

  it('removes rows without a file, and checks changed files', async () => {
    open();
    for (const id of ['1', '2', '3']) {
      await rig.add(id, 5000);
      await rig.fetch(id);
    }
    rmSync(rig.path('1'));
    writeFileSync(rig.path('2'), bytesOf('22', 5000));
    utimesSync(rig.path('3'), 1, 1);
    rig.cache.start();
    await until(() => rig.index.copy('1') === undefined && rig.index.copy('2') === undefined);
    // The bytes are right, so the file is adopted with its new facts.
    await until(() => rig.index.copy('3')?.mtimeMs === 1000 && rig.isInStep);
    expect(rig.index.summary.totals).to.include({ copies: 1, copyBytes: 5000 });
  });

  it('checks a copy at once when a server process reports it as bad', async () => {
    open({ checkEveryMs: 60_000 });
    for (const id of ['1', '2', '3']) {
      await rig.add(id, 5000);
      await rig.fetch(id);
    }
    rmSync(rig.path('1'));
    writeFileSync(rig.path('2'), bytesOf('22', 5000));
    for (const id of ['1', '2', '3', '4']) rig.cache.reportBadCopy(id);
    await until(() => rig.index.summary.totals.copies === 1 && rig.isInStep);
    expect(rig.index.copy('3')).not.to.equal(undefined);
  });

  it('reports no error for a directory that does not exist yet', async () => {
    open();
    rig.cache.start();
    await rig.add('1', 10);
    await rig.fetch('1');
    await rig.restart();
    expect(rig.cache.conditions).to.deep.equal([]);
    expect(rig.isInStep).to.equal(true);
  });

  it('drops no row when the directory is missing, as when a disk is not mounted', async () => {
    open();
    await rig.add('1', 5000);
    await rig.fetch('1');
    renameSync(rig.assets, `${rig.assets}-elsewhere`);
    rig.cache.start();
    await until(() => rig.cache.conditions.length > 0);
    expect(rig.cache.conditions[0]).to.include({ type: 'CacheNotWritten' });
    expect(rig.index.copy('1')).not.to.equal(undefined);
    renameSync(`${rig.assets}-elsewhere`, rig.assets);
    expect(await rig.viewer('1').ended()).to.equal('here');
  });

  describe('copies that the settings no longer cover', () => {
    const fill = async (count: number) => {
      for (let id = 1; id <= count; id += 1) {
        await rig.add(String(id), 100);
        await rig.fetch(String(id));
      }
    };

    it('are counted, then removed after a pause', async () => {
      open({ checkEveryMs: 300 });
      await fill(120);
      rig.cache.start();
      rig.settings = { workerId: null, buckets: ['2:0'] };
      rig.cache.configure();
      await until(() => rig.cache.copiesToRemove === 120);
      expect(rig.index.summary.totals.copies).to.equal(120);
      await until(() => rig.cache.copiesToRemove === 0);
      expect(rig.index.summary.totals.copies).to.equal(0);
      expect(rig.files).to.deep.equal([]);
    });

    it('stay if the settings are reverted in time', async () => {
      open({ checkEveryMs: 60_000 });
      await fill(5);
      rig.cache.start();
      const before = rig.settings;
      rig.settings = { workerId: null, buckets: ['2:0'] };
      rig.cache.configure();
      await until(() => rig.cache.copiesToRemove === 5);
      rig.settings = before;
      rig.cache.configure();
      await until(() => rig.cache.copiesToRemove === 0);
      expect(rig.index.summary.totals.copies).to.equal(5);
      expect(rig.isInStep).to.equal(true);
    });

    it('are removed too when they are no longer in the directory, or other bytes are stated', async () => {
      open();
      await fill(4);
      await rig.add('2', 101);
      await rig.add('3', 100, { accepted: false });
      rig.index.transact((tx) => tx.removeObject('1'));
      rig.isDirectoryCurrent = false;
      rig.cache.start();
      await until(() => !rig.has('2') && !rig.has('3'));
      expect(rig.has('1')).to.equal(true);
      rig.isDirectoryCurrent = true;
      await until(() => !rig.has('1'));
      expect([...rig.index.copyIds('')]).to.deep.equal(['4']);
      await until(() => rig.isInStep);
    });
  });

  describe('room', () => {
    it('is made by the least useful copies', async () => {
      open({ checkEveryMs: 60_000, maxBytes: 3000 });
      for (const id of ['1', '2', '3']) {
        await rig.add(id, 1000);
        await rig.fetch(id);
      }
      rig.cache.reportUses({ 1: 5, 3: 2, 77: 9, 2: Number.NaN });
      await rig.restart();
      expect(rig.index.copy('1')).to.include({ uses: 6 });
      await rig.add('4', 1500);
      await rig.fetch('4');
      expect([...rig.index.copyIds('')]).to.deep.equal(['1', '4']);
      expect(rig.cache.evictions).to.equal(2);
      await until(() => rig.isInStep);
    });

    it('is not made for an object larger than the cache, nor by removing copies that are arriving', async () => {
      open({ checkEveryMs: 60_000, maxBytes: 3000 });
      await rig.add('1', 1000);
      await rig.fetch('1');
      await rig.add('2', 3001);
      expect((await rig.viewer('2').brought).result).to.equal('pass');
      for (const id of ['3', '4']) {
        await rig.add(id, 1500);
        rig.sources.scripts.set(id, [{ pauseAt: 0, gate: new Promise(() => {}) }]);
        rig.viewer(id);
      }
      await until(() => rig.sources.open === 2);
      await rig.add('5', 100);
      expect((await rig.viewer('5').brought).result).to.equal('pass');
      expect([...rig.index.copyIds('')]).to.deep.equal([]);
    });
  });

  it('passes objects through while the disk cannot be written, and stores them again after that', async () => {
    open();
    const blocking = rig.write(rig.assets, bytesOf('1', 1));
    await rig.add('1', 100);
    expect((await rig.viewer('1').brought).result).to.equal('pass');
    expect(rig.cache.conditions[0]).to.include({ type: 'CacheNotWritten', reason: 'WriteFailed' });
    await until(() => rig.cache.downloadsInProgress === 0);
    expect((await rig.viewer('1').brought).result).to.equal('pass');
    expect(rig.sources.fetched).to.deep.equal([]);
    rmSync(blocking);
    await until(() => rig.cache.conditions.length === 0);
    expect(await rig.viewer('1').ended()).to.equal('here');
  });
});
