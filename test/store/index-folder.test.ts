// What happens to an index that cannot be used.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { indexFolder, openStore, openStoreReader } from '../../src/store/index-folder.ts';
import { indexFormat } from '../../src/store/index-rows.ts';
import { asStoreError, isDamage, openDatabase } from '../../src/store/lmdb-file.ts';
import type { IndexSource } from '../../src/store/object-index.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { inBuckets, squidRow } from './rows.ts';

const source: IndexSource = { kind: 'squid', name: 'http://squid' };
const maxBytes = 2 ** 26;

describe('the folder of the index', () => {
  let state: Folder;
  let file: string;

  beforeEach(() => {
    state = temporaryFolder();
    file = join(indexFolder(state.path), 'data.mdb');
  });

  afterEach(() => state.remove());

  /** Writes 500 objects. */
  async function write(from = source): Promise<string> {
    const { index } = openStore(state.path, from, maxBytes);
    index.transact((tx) => {
      tx.putBag('a', inBuckets('1:0'));
      for (let id = 0; id < 500; id += 1) tx.putObject(String(id), squidRow('a'));
    });
    const { id } = index.summary;
    await index.close();
    return id;
  }

  it('keeps an index that is whole and of the same directory', async () => {
    const id = await write();
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect([index.summary.id, index.summary.totals.objects, rebuilt]).to.deep.equal([id, 500, null]);
    await index.close();
    expect(readdirSync(state.path)).to.deep.equal(['index']);
  });

  const damages: Readonly<Record<string, (content: Buffer) => Buffer>> = {
    'other bytes': (content) => randomBytes(content.length),
    'half of it': (content) => content.subarray(0, content.length / 2),
    'its first 100 bytes': (content) => content.subarray(0, 100),
    'its first page alone': (content) => content.subarray(0, 4096),
    'zeros at its beginning': (content) => content.fill(0, 0, 4096),
    'zeros in its second page': (content) => content.fill(0, 4096, 8192),
    'one changed byte in its magic number': (content) => content.fill(1, 24, 25),
    'an impossible page size': (content) => content.fill(0, 48, 52),
  };

  for (const [what, damage] of Object.entries(damages)) {
    it(`renames and rebuilds an index of which the file has ${what}`, async () => {
      const id = await write();
      writeFileSync(file, damage(readFileSync(file)));
      expect(() => openStoreReader(state.path)).to.throw();
      const { index, rebuilt } = openStore(state.path, source, maxBytes);
      expect(rebuilt).to.include({ reason: 'Damaged', renamedTo: join(state.path, 'index.unused-1') });
      expect(index.summary.id).not.to.equal(id);
      expect(index.summary.totals.objects).to.equal(0);
      await index.close();
      expect(readdirSync(state.path).sort()).to.deep.equal(['index', 'index.unused-1']);
    });
  }

  it('rebuilds an index of another format', async () => {
    await write();
    const database = openDatabase(indexFolder(state.path), 'write');
    database.transactionSync(() => {
      database.put('h', { format: 99 });
    });
    await database.close();
    expect(() => openStoreReader(state.path)).to.throw(new RegExp(`format 99, not ${indexFormat}`));
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect(rebuilt).to.include({ reason: 'OtherFormat' });
    expect(rebuilt?.message).to.match(new RegExp(`has format 99, not ${indexFormat}`));
    await index.close();
  });

  it('rebuilds an index of something else in the same format of file', async () => {
    const database = openDatabase(indexFolder(state.path), 'write');
    database.transactionSync(() => {
      database.put('h', 'something');
    });
    await database.close();
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect(rebuilt).to.include({ reason: 'Damaged' });
    await index.close();
  });

  it('rebuilds an index of another directory, and keeps the latest two renamed folders', async () => {
    for (const name of ['one', 'two', 'three', 'four', 'five']) await write({ kind: 'catalogue', name });
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect(rebuilt).to.include({ reason: 'OtherDirectory', renamedTo: join(state.path, 'index.unused-5') });
    expect(rebuilt?.message).to.match(/was built from the catalogue five/);
    await index.close();
    expect(readdirSync(state.path).sort()).to.deep.equal(['index', 'index.unused-4', 'index.unused-5']);
  });

  it('opens a file whose last pages were free and not written', async () => {
    await write();
    const { index } = openStore(state.path, source, maxBytes);
    // Once pages are free, a large value that is put and removed in one transaction leaves pages that are never written.
    for (let size = 0; size < 10; size += 1) {
      index.transact((tx) => {
        for (let id = 0; id < 500; id += 1) tx.putObject(String(id), squidRow('a', { size }));
      });
    }
    index.transact((tx) => {
      tx.putBag('b', inBuckets());
      tx.putMark('large', 'x'.repeat(2_000_000));
      tx.putMark('large', undefined);
    });
    await index.close();
    const again = openStore(state.path, source, maxBytes);
    expect(again.rebuilt).to.equal(null);
    expect(again.index.summary.totals).to.include({ objects: 500, bags: 2 });
    await again.index.close();
  });

  it('rebuilds an index whose first row cannot be found', async () => {
    const database = openDatabase(indexFolder(state.path), 'write');
    database.transactionSync(() => {
      database.put('q', 1);
    });
    await database.close();
    expect(() => openStoreReader(state.path)).to.throw(/does not say its format/);
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect(rebuilt).to.include({ reason: 'Damaged' });
    await index.close();
  });

  it('distinguishes a damaged page from other errors', () => {
    const withCode = (code: number) => Object.assign(new Error('x'), { code });
    expect([-30797, -30796, -30782].map(withCode).filter((error) => isDamage(error))).to.have.length(3);
    expect([28, 5, -30792].map(withCode).filter((error) => isDamage(error))).to.deep.equal([]);
    expect(isDamage(new Error('x'))).to.equal(false);
  });

  it('says that a reader found no index', () => {
    expect(() => openStoreReader(state.path)).to.throw(/There is no index in/);
    state.write('index/data.mdb', '');
    expect(() => openStoreReader(state.path)).to.throw(/There is no index in/);
  });

  it('explains what the file system does not allow', () => {
    const said = (code: number) =>
      asStoreError(Object.assign(new Error('x'), { code }), 'The index in /s cannot be opened');
    expect(said(19)).to.include({
      ...{ code: 'ENODEV' },
      message: 'The index in /s cannot be opened: ENODEV, its file system does not support memory-mapped files',
    });
    expect(said(30)).to.include({ code: 'EROFS' });
    expect(said(28)).to.include({
      code: 'ENOSPC',
      message: 'The index in /s cannot be opened: ENOSPC, the disk is full',
    });
    expect(() => openStore(join(state.write('file', ''), 'below'), source, maxBytes)).to.throw(/ENOTDIR|EEXIST/);
  });
});
