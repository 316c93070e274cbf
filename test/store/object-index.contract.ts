// What every index does, in memory and on disk.
import { expect } from 'chai';
import type { IndexWriter, ObjectRow } from '../../src/store/object-index.ts';
import { catalogueRow, copyRow, inBuckets, recount, squidRow } from './rows.ts';

export interface IndexUnderTest {
  readonly writer: IndexWriter;
  /** Opens what was written so far once more, as a restarted process does; null: the index does not survive its process. */
  readonly reopen: (() => Promise<IndexWriter>) | null;
}

const problem = { kind: 'missing', message: 'does not exist' } as const;

export function describesAnIndex(create: () => Promise<IndexUnderTest>): void {
  let index: IndexWriter;
  let reopen: IndexUnderTest['reopen'];

  beforeEach(async () => {
    ({ writer: index, reopen } = await create());
  });

  const putTwoBags = () =>
    index.transact((tx) => {
      tx.putBag('a', inBuckets('1:0', '1:1'));
      tx.putBag('b', inBuckets('2:0'));
      tx.putObject('1', squidRow('a', { size: 10 }));
      tx.putObject('2', squidRow('a', { size: null }));
      tx.putObject('3', squidRow('b', { size: 5, accepted: false }));
    });

  it('is empty at first', () => {
    expect(index.summary).to.include({ version: 0, readAt: null });
    expect(index.summary.totals).to.deep.equal(recount(index));
    expect(index.object('1')).to.equal(undefined);
    expect([...index.bags()]).to.deep.equal([]);
  });

  it('returns every field of a row as it was put', () => {
    const rows: readonly ObjectRow[] = [
      squidRow('a', { size: 2 ** 52, type: 'video/mp4', hash: 'zW1' }),
      squidRow('a', { size: null, accepted: false }),
      catalogueRow('a', 'clips/ä.mp4', { size: 7 }),
      catalogueRow('a', 'gone', { found: null, problem }),
      squidRow('a', { url: 'https://films.example/4.mp4' }),
      { ...catalogueRow('a', 'both', { size: 7 }), url: 'https://films.example/5.mp4' },
    ];
    index.transact((tx) => {
      tx.putBag('a', { distributionBuckets: ['1:0'], storageBuckets: ['7'], pass: 3 });
      for (const [number, row] of rows.entries()) tx.putObject(String(number), row);
      tx.putBucket('1:0', { workers: [4, 5], distributing: true });
    });
    for (const [number, row] of rows.entries()) expect(index.object(String(number))).to.deep.equal(row);
    expect(index.bag('a'))
      .to.include({ pass: 3 })
      .and.deep.include({ storageBuckets: ['7'] });
    expect(index.bucket('1:0')).to.deep.equal({ workers: [4, 5], distributing: true });
    expect([...index.problems()]).to.deep.equal([['3', problem]]);
  });

  it('sums up the objects of each bag, and all', () => {
    putTwoBags();
    expect(index.bag('a')).to.include({ objects: 2, bytes: 10, sizeUnknown: 1, unaccepted: 0 });
    expect(index.bag('b')).to.include({ objects: 0, bytes: 0, sizeUnknown: 0, unaccepted: 1 });
    expect(index.summary.totals).to.deep.equal(recount(index)).and.include({ objects: 3, bags: 2, files: 0 });
  });

  it('counts an object whose file has a problem as unaccepted, and another by the size of its file', () => {
    index.transact((tx) => {
      tx.putBag('a', inBuckets());
      tx.putObject('1', catalogueRow('a', 'one', { size: 7 }));
      tx.putObject('2', catalogueRow('a', 'two', { found: null, problem }));
      tx.putObject('3', catalogueRow('a', 'three', { size: 9, problem: { kind: 'damaged', message: 'is a folder' } }));
    });
    expect(index.bag('a')).to.include({ objects: 1, bytes: 7, sizeUnknown: 0, unaccepted: 2 });
    expect(index.summary.totals).to.include({ objects: 3, files: 1, fileBytes: 7, missing: 1, damaged: 1 });
  });

  it('updates sums when an object moves to another bag or is removed', () => {
    putTwoBags();
    index.transact((tx) => tx.putObject('1', squidRow('b', { size: 20 })));
    expect([...index.objectsOfBag('a')]).to.deep.equal(['2']);
    expect([...index.objectsOfBag('b')]).to.deep.equal(['1', '3']);
    expect(index.bag('a')).to.include({ objects: 1, bytes: 0 });
    expect(index.bag('b')).to.include({ objects: 1, bytes: 20 });
    index.transact((tx) => tx.removeObject('1'));
    expect(index.object('1')).to.equal(undefined);
    expect(index.bag('b')).to.include({ objects: 0, bytes: 0 });
    expect(index.summary.totals).to.deep.equal(recount(index));
  });

  it('removes the objects of a bag with it, and keeps its sums when its buckets change', () => {
    putTwoBags();
    index.transact((tx) => tx.putBag('a', inBuckets('9:9')));
    expect(index.bag('a'))
      .to.include({ objects: 2, bytes: 10 })
      .and.deep.include({ distributionBuckets: ['9:9'] });
    index.transact((tx) => tx.removeBag('a'));
    expect([...index.objectIds('')]).to.deep.equal(['3']);
    expect(index.summary.totals).to.deep.equal(recount(index)).and.include({ objects: 1, bags: 1 });
  });

  it('lists ids in text order, starting after a given one', () => {
    index.transact((tx) => {
      tx.putBag('a', inBuckets());
      for (const id of ['9', '10', '100', '2']) tx.putObject(id, squidRow('a'));
    });
    expect([...index.objectIds('')]).to.deep.equal(['10', '100', '2', '9']);
    expect([...index.objectIds('10')]).to.deep.equal(['100', '2', '9']);
    expect([...index.objectIds('1000')]).to.deep.equal(['2', '9']);
    expect([...index.objectIds('9')]).to.deep.equal([]);
  });

  it('separates bags whose names share a prefix', () => {
    index.transact((tx) => {
      for (const bag of ['a', 'a:1', 'a 1']) {
        tx.putBag(bag, inBuckets());
        tx.putObject(String(bag.length * 10 + (bag.includes(' ') ? 1 : 0)), squidRow(bag));
      }
    });
    expect(['a', 'a:1', 'a 1'].map((bag) => [...index.objectsOfBag(bag)])).to.deep.equal([['10'], ['30'], ['31']]);
  });

  it('sees in a transaction what it wrote, and leaves nothing of one that fails', () => {
    putTwoBags();
    const before = index.summary;
    expect(() =>
      index.transact((tx) => {
        tx.putBag('c', inBuckets('3:3'));
        tx.putObject('4', squidRow('c', { size: 1 }));
        tx.removeBag('a');
        tx.putMark('position', 4);
        tx.putBucket('3:3', { workers: [], distributing: false });
        tx.setRead('2026-01-01T00:00:00.000Z');
        expect(tx.bag('c')).to.include({ objects: 1, bytes: 1 });
        expect([...tx.objectsOfBag('c')]).to.deep.equal(['4']);
        expect([...tx.bags()].map(([id]) => id)).to.deep.equal(['b', 'c']);
        expect(tx.summary.totals).to.include({ objects: 2, bags: 2 });
        expect(tx.mark('position')).to.equal(4);
        throw new Error('enough');
      }),
    ).to.throw('enough');
    expect(index.summary).to.deep.equal(before);
    expect(index.summary.totals).to.deep.equal(recount(index));
    expect([index.bag('c'), index.object('4'), index.mark('position'), index.bucket('3:3')]).to.deep.equal([
      ...[undefined, undefined, undefined, undefined],
    ]);
    expect([...index.objectsOfBag('a')]).to.deep.equal(['1', '2']);
  });

  it('does not put an object into a missing bag', () => {
    putTwoBags();
    index.transact((tx) => expect(() => tx.putObject('1', squidRow('nowhere'))).to.throw(/bag nowhere/));
    expect(index.object('1')).to.include({ bag: 'a' });
    expect(index.summary.totals).to.deep.equal(recount(index));
  });

  it('accepts neither nested nor ended transactions', () => {
    expect(() => index.transact(() => index.transact(() => {}))).to.throw(/cannot begin in another/);
    const ended = index.transact((tx) => tx);
    expect(() => ended.putBag('a', inBuckets())).to.throw(/has ended/);
    expect(index.bag('a')).to.equal(undefined);
  });

  it('looks up any text, and accepts names of a bounded length', () => {
    const long = '1'.repeat(513);
    putTwoBags();
    for (const name of ['', long, '1'.repeat(100_000), '\0', 'a\t1', '\ud800']) {
      expect([index.object(name), index.bag(name), index.bucket(name), index.mark(name)]).to.deep.equal(
        Array(4).fill(undefined),
      );
      expect([...index.objectsOfBag(name)]).to.deep.equal([]);
    }
    index.transact((tx) => {
      tx.putObject('1'.repeat(512), squidRow('a'));
      for (const name of ['', long, 'a\tb', 'ä'.repeat(257)]) {
        expect(() => tx.putBag(name, inBuckets())).to.throw(RangeError);
        expect(() => tx.putObject(name, squidRow('a'))).to.throw(RangeError);
      }
    });
    expect(index.object('1'.repeat(512))).to.deep.equal(squidRow('a'));
  });

  it('iterates over one state, whatever is committed during it', () => {
    putTwoBags();
    const seen: string[] = [];
    for (const id of index.objectIds('')) {
      seen.push(id);
      index.transact((tx) => {
        tx.removeObject('2');
        tx.putObject(`2${seen.length}`, squidRow('b'));
      });
      index.refresh();
    }
    expect(seen).to.deep.equal(['1', '2', '3']);
    expect([...index.objectIds('')]).to.deep.equal(['1', '21', '22', '23', '3']);
  });

  it('lets a transaction remove what it iterates over', () => {
    index.transact((tx) => {
      tx.putBag('a', inBuckets());
      for (let id = 0; id < 1200; id += 1) tx.putObject(String(id), squidRow('a', { size: 1 }));
    });
    index.transact((tx) => {
      for (const id of tx.objectsOfBag('a')) if (id.endsWith('7')) tx.removeObject(id);
    });
    expect(index.bag('a')).to.include({ objects: 1080, bytes: 1080 });
    expect(index.summary.totals).to.deep.equal(recount(index));
  });

  it('keeps marks until they are removed, and the time of the first complete reading', () => {
    index.transact((tx) => {
      tx.putMark('position', { after: '42', pass: 7, list: [1, null] });
      tx.setRead('2026-01-01T00:00:00.000Z');
      tx.setRead('2026-02-02T00:00:00.000Z');
    });
    expect(index.mark('position')).to.deep.equal({ after: '42', pass: 7, list: [1, null] });
    expect(index.summary.readAt).to.equal('2026-01-01T00:00:00.000Z');
    index.transact((tx) => tx.putMark('position', undefined));
    expect(index.mark('position')).to.equal(undefined);
  });

  describe('its copies', () => {
    it('are returned as they were put, with their totals', () => {
      const rows = [
        copyRow({
          size: 2 ** 52,
          type: 'text/plain',
          hash: null,
          originTag: '"1"',
          uses: 2.5,
          lastUseSec: 99,
          priority: 7.25,
        }),
        copyRow({ size: 3, priority: -1 }),
      ];
      index.transact((tx) => {
        for (const [number, row] of rows.entries()) tx.putCopy(String(number), row);
        expect(tx.copy('1')).to.deep.equal(rows[1]);
        expect(tx.summary.totals).to.include({ copies: 2, copyBytes: 2 ** 52 + 3 });
      });
      expect([index.copy('0'), index.copy('1'), index.copy('2')]).to.deep.equal([...rows, undefined]);
      expect(index.summary.totals)
        .to.deep.equal(recount(index))
        .and.include({ copies: 2, copyBytes: 2 ** 52 + 3 });
      index.transact((tx) => tx.putCopy('0', copyRow({ size: 4 })));
      index.transact((tx) => {
        tx.removeCopy('1');
        tx.removeCopy('2');
      });
      expect(index.summary.totals).to.deep.equal(recount(index)).and.include({ copies: 1, copyBytes: 4 });
    });

    it('are listed by id from the one after another, and by priority', () => {
      const priorities = { '9': 0, '10': -3.5, '100': 1e300, '2': -1e-300, '20': 0.25, '11': -3.5 };
      index.transact((tx) => {
        for (const id of Object.keys(priorities)) tx.putCopy(id, copyRow({ priority: 1 }));
        for (const [id, priority] of Object.entries(priorities)) tx.putCopy(id, copyRow({ priority }));
      });
      expect([...index.copyIds('')]).to.deep.equal(['10', '100', '11', '2', '20', '9']);
      expect([...index.copyIds('11')]).to.deep.equal(['2', '20', '9']);
      expect([...index.copyIds('1')]).to.deep.equal(['10', '100', '11', '2', '20', '9']);
      expect([...index.copiesByPriority()].map(([id]) => id)).to.deep.equal(['10', '11', '2', '9', '20', '100']);
      expect([...index.copiesByPriority()][5]).to.deep.equal(['100', copyRow({ priority: 1e300 })]);
      index.transact((tx) => tx.removeCopy('10'));
      expect([...index.copiesByPriority()].map(([id]) => id)).to.deep.equal(['11', '2', '9', '20', '100']);
    });

    it('are not changed by a transaction that fails', () => {
      index.transact((tx) => tx.putCopy('1', copyRow()));
      const fail = () =>
        index.transact((tx) => {
          tx.putCopy('1', copyRow({ size: 9, priority: 9 }));
          tx.putCopy('2', copyRow());
          tx.removeCopy('1');
          throw new Error('enough');
        });
      expect(fail).to.throw('enough');
      expect([...index.copiesByPriority()]).to.deep.equal([['1', copyRow()]]);
      expect(index.summary.totals).to.deep.equal(recount(index));
    });

    it('belong to every version of the directory', () => {
      putTwoBags();
      index.transact((tx) => tx.putCopy('1', copyRow({ size: 5 })));
      const version = index.newVersion();
      version.transact((tx) => {
        expect(tx.copy('1')).to.deep.equal(copyRow({ size: 5 }));
        tx.putCopy('2', copyRow({ size: 6 }));
        expect(tx.summary.totals).to.include({ objects: 0, copies: 2 });
      });
      expect(index.summary.totals).to.include({ objects: 3, copies: 2, copyBytes: 11 });
      version.publish();
      while (index.tidy());
      expect([...index.copyIds('')]).to.deep.equal(['1', '2']);
      expect(index.summary.totals).to.deep.equal(recount(index)).and.include({ objects: 0, copies: 2, copyBytes: 11 });
    });

    it('have names of a bounded length', () => {
      expect(index.copy('1'.repeat(100_000))).to.equal(undefined);
      const put = () => index.transact((tx) => tx.putCopy('1'.repeat(513), copyRow()));
      expect(put).to.throw(RangeError);
    });
  });

  describe('a new version', () => {
    const build = () => {
      const version = index.newVersion();
      version.transact((tx) => {
        tx.putBag('n', inBuckets('1:0'));
        tx.putObject('7', squidRow('n', { size: 3 }));
      });
      return version;
    };

    it('is empty, and invisible until it is published', () => {
      putTwoBags();
      const before = index.summary;
      const version = index.newVersion();
      version.transact((tx) => {
        expect(tx.summary.totals).to.include({ objects: 0, bags: 0 });
        expect(tx.object('1')).to.equal(undefined);
        tx.putBag('n', inBuckets('1:0'));
        tx.putObject('7', squidRow('n', { size: 3 }));
      });
      expect(index.summary).to.deep.equal(before);
      expect([...index.objectIds('')]).to.deep.equal(['1', '2', '3']);
      version.publish((tx) => {
        tx.putObject('8', squidRow('n', { size: 4 }));
        tx.putMark('file', 'hash');
        tx.setRead('2026-01-01T00:00:00.000Z');
      });
      expect([...index.objectIds('')]).to.deep.equal(['7', '8']);
      expect(index.summary).to.deep.include({ id: before.id, version: 1, readAt: '2026-01-01T00:00:00.000Z' });
      expect(index.bag('n')).to.include({ objects: 2, bytes: 7 });
      expect(index.mark('file')).to.equal('hash');
      expect([index.object('1'), index.bag('a')]).to.deep.equal([undefined, undefined]);
      expect(index.summary.totals).to.deep.equal(recount(index));
    });

    it('is not published by a step that fails', () => {
      putTwoBags();
      const version = build();
      const fail = () =>
        version.publish((tx) => {
          tx.removeBag('n');
          throw new Error('enough');
        });
      expect(fail).to.throw('enough');
      expect(index.summary).to.include({ version: 0 });
      version.publish();
      expect([...index.objectIds('')]).to.deep.equal(['7']);
    });

    it('is discarded by the next one, and ends with its publication', () => {
      const discarded = build();
      const next = index.newVersion();
      expect(() => discarded.transact(() => {})).to.throw(/published or discarded/);
      next.transact((tx) => expect(tx.object('7')).to.equal(undefined));
      next.publish();
      expect(() => next.publish()).to.throw(/published or discarded/);
      expect([...index.objectIds('')]).to.deep.equal([]);
    });

    it('is not changed by the removal of earlier ones', () => {
      putTwoBags();
      for (let round = 0; round < 40; round += 1) build().publish();
      build();
      while (index.tidy());
      expect([...index.objectIds('')]).to.deep.equal(['7']);
      expect(index.summary.totals).to.deep.equal(recount(index));
      expect(index.summary.version).to.equal(40);
    });
  });

  it('has everything after it was reopened, and discards an unpublished version', async () => {
    if (reopen === null) return;
    putTwoBags();
    index.transact((tx) => {
      tx.putMark('position', [1]);
      tx.putBucket('1:0', { workers: [1], distributing: true });
      tx.putCopy('1', copyRow({ priority: 3 }));
    });
    const all = (one: IndexWriter) => [
      one.summary,
      [...one.bags()],
      [...one.buckets()],
      [...one.objectIds('')].map((id) => one.object(id)),
      one.mark('position'),
      [...one.copiesByPriority()],
    ];
    index.newVersion().transact((tx) => tx.putBag('n', inBuckets('1:0')));
    const before = all(index);
    const again = await reopen();
    expect(all(again)).to.deep.equal(before);
    const version = again.newVersion();
    version.transact((tx) => expect([...tx.bags()]).to.deep.equal([]));
    while (again.tidy());
    expect(all(again)).to.deep.equal(before);
  });
}
