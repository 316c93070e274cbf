// Wrong bytes inside the file of an index: reads meet them as errors, and so does the check that reads everything.
import { expect } from 'chai';
import { asBinary } from 'lmdb';
import { indexFolder, markDamaged, openStore, openStoreReader } from '../../src/store/index-folder.ts';
import { IndexDamaged, openDatabase } from '../../src/store/lmdb-file.ts';
import type { IndexSource, IndexWriter } from '../../src/store/object-index.ts';
import { damageIndex, replacing } from '../support/damage-index.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { inBuckets, squidRow } from './rows.ts';

const source: IndexSource = { kind: 'squid', name: 'http://squid' };
const maxBytes = 2 ** 26;
/** Several pages, and several steps of a check. */
const objects = 3000;
const hashOf = (id: number | string) => `hash-of-${String(id).padStart(8, '0')}`;

describe('a damaged row of the index', () => {
  let state: Folder;
  let index: IndexWriter;
  let found: string[];

  beforeEach(() => {
    state = temporaryFolder();
    found = [];
    index = openStore(state.path, source, maxBytes, ({ message }) => found.push(message)).index;
    index.transact((tx) => {
      tx.putBag('a', inBuckets('1:0'));
      for (let id = 0; id < objects; id += 1) tx.putObject(String(id), squidRow('a', { hash: hashOf(id) }));
    });
  });

  afterEach(async () => {
    await index.close();
    state.remove();
  });

  const damage = (change: (content: Buffer) => void) => damageIndex(state.path, change);

  it('is never read as another one', () => {
    damage(replacing(hashOf(77), hashOf(78)));
    index.refresh();
    expect(() => index.object('77')).to.throw(IndexDamaged, /damaged: a wrong checksum/);
    expect(found).to.have.lengthOf(1);
    expect(index.object('78')?.hash).to.equal(hashOf(78));
  });

  it('is not read as that of another object', async () => {
    await index.close();
    const database = openDatabase(indexFolder(state.path), 'write');
    const other = database.getBinary('oa78') as Buffer;
    database.transactionSync(() => {
      database.put('oa77', asBinary(other));
    });
    await database.close();
    index = openStore(state.path, source, maxBytes).index;
    expect(() => index.object('77')).to.throw(IndexDamaged);
  });

  it('makes a transaction that reads it throw, and changes nothing', () => {
    damage(replacing(hashOf(77), hashOf(78)));
    const change = () =>
      index.transact((tx) => {
        tx.putObject('new', squidRow('a'));
        tx.removeObject('77');
      });
    expect(change).to.throw(IndexDamaged);
    expect(found).to.have.lengthOf(1);
    expect(index.object('new')).to.equal(undefined);
  });

  it('makes a reader throw too', async () => {
    const reader = openStoreReader(state.path);
    expect(reader.object('77')?.hash).to.equal(hashOf(77));
    damage(replacing(hashOf(77), hashOf(78)));
    reader.refresh();
    expect(() => reader.object('77')).to.throw(IndexDamaged);
    await reader.close();
  });

  const check = () => {
    while (index.check());
  };

  it('is found by a check, which finds nothing wrong with a whole index, whatever is written during it', () => {
    check();
    expect(index.check()).to.equal(true);
    index.transact((tx) => tx.removeObject('77'));
    check();
    expect(found).to.deep.equal([]);
    damage(replacing(hashOf(2999), hashOf(2998)));
    expect(check).to.throw(IndexDamaged, /a wrong checksum/);
    expect(found).to.have.lengthOf(1);
  });

  it('is found by a check if its key is another one', () => {
    damage(replacing('oa2500', 'oa2500'.replace('0', '1')));
    expect(check).to.throw(IndexDamaged);
  });

  it('is found by a check if keys are not in order, and no iteration goes on for ever', () => {
    damage(replacing('oa2500', 'oa1500'));
    expect(check).to.throw(IndexDamaged, /keys that are not in order/);
    expect(() => [...index.objectIds('')]).to.throw(IndexDamaged, /keys that are not in order/);
  });

  it('is found by a check if its page does not count it', () => {
    // In the page of object 2500: the end of the list of its rows, 2 bytes for each.
    damage((content) => {
      const page = content.indexOf('oa2500') & ~4095;
      content.writeUInt16LE(content.readUInt16LE(page + 20) - 2, page + 20);
    });
    expect(check).to.throw(IndexDamaged, /rows instead of/);
  });
});

describe('an index that is marked as damaged', () => {
  let state: Folder;

  beforeEach(() => {
    state = temporaryFolder();
  });

  afterEach(() => state.remove());

  it('is not opened for reading, and is renamed and rebuilt with the reason', async () => {
    const { index: first } = openStore(state.path, source, maxBytes);
    markDamaged(state.path, 'A test says so');
    expect(() => openStoreReader(state.path)).to.throw(IndexDamaged, 'A test says so');
    await first.close();
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect(rebuilt).to.include({ reason: 'Damaged', message: 'A test says so' });
    await index.close();
    const again = openStore(state.path, source, maxBytes);
    expect(again.rebuilt).to.equal(null);
    await again.index.close();
  });

  it('need not be there', async () => {
    markDamaged(state.path, 'A test says so');
    const { index, rebuilt } = openStore(state.path, source, maxBytes);
    expect(rebuilt).to.equal(null);
    await index.close();
  });
});
