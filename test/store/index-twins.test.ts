// Random transactions, versions and removals on the index in memory and on disk: both always give the same answers.
import { expect } from 'chai';
import fc from 'fast-check';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { IndexTransaction, IndexWriter, NewVersion } from '../../src/store/object-index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { catalogueRow, copyRow, inBuckets, recount, squidRow } from './rows.ts';

const source = { kind: 'catalogue', name: '/films.yaml' } as const;

const id = fc.constantFrom('1', '2', '10', '11', '100');
const bag = fc.constantFrom('a', 'a:1', 'b');
const size = fc.option(fc.nat(99), { nil: null });
const problem = fc.option(fc.constantFrom('missing' as const, 'damaged' as const), { nil: null });

type Change = (tx: IndexTransaction) => void;
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(id, bag, size, fc.boolean()).map(
    ([one, inBag, bytes, accepted]): Change =>
      (tx) => {
        if (tx.bag(inBag) !== undefined) tx.putObject(one, squidRow(inBag, { size: bytes, accepted }));
      },
  ),
  fc.tuple(id, bag, fc.nat(99), problem).map(
    ([one, inBag, bytes, kind]): Change =>
      (tx) => {
        const row = catalogueRow(inBag, one, { size: bytes, problem: kind && { kind, message: 'x' } });
        if (tx.bag(inBag) !== undefined) tx.putObject(one, row);
      },
  ),
  id.map(
    (one): Change =>
      (tx) =>
        tx.removeObject(one),
  ),
  fc.tuple(bag, fc.nat(9)).map(
    ([one, bucket]): Change =>
      (tx) =>
        tx.putBag(one, inBuckets(String(bucket))),
  ),
  bag.map(
    (one): Change =>
      (tx) =>
        tx.removeBag(one),
  ),
  fc.tuple(bag, fc.nat(9)).map(
    ([one, worker]): Change =>
      (tx) =>
        tx.putBucket(one, { workers: [worker], distributing: true }),
  ),
  bag.map(
    (one): Change =>
      (tx) =>
        tx.removeBucket(one),
  ),
  fc.tuple(bag, fc.option(fc.jsonValue(), { nil: undefined })).map(
    ([name, value]): Change =>
      (tx) =>
        tx.putMark(name, value),
  ),
  fc
    .tuple(
      id,
      fc.nat(99),
      fc.double({ noNaN: true }).map((number) => number + 0),
    )
    .map(
      ([one, bytes, priority]): Change =>
        (tx) =>
          tx.putCopy(one, copyRow({ size: bytes, priority })),
    ),
  id.map(
    (one): Change =>
      (tx) =>
        tx.removeCopy(one),
  ),
  fc.constant<Change>((tx) => tx.setRead('2026-01-01T00:00:00.000Z')),
);

type Step = {
  readonly on: 'read' | 'new' | 'publish' | 'begin' | 'tidy';
  readonly changes: Change[];
  readonly fails: boolean;
};
const step: fc.Arbitrary<Step> = fc.record({
  on: fc.constantFrom('read', 'read', 'read', 'new', 'new', 'publish', 'begin', 'tidy'),
  changes: fc.array(change, { maxLength: 12 }),
  fails: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
});

const everything = (index: Pick<IndexWriter, 'summary'> & IndexWriter) => {
  const { readAt, version, totals } = index.summary;
  const ids = [...index.objectIds('')];
  return {
    ...{ readAt, version, totals, ids, after: [...index.objectIds('10')] },
    ...{ objects: ids.map((one) => index.object(one)), bags: [...index.bags()], buckets: [...index.buckets()] },
    ...{ copies: [...index.copiesByPriority()], copyIds: [...index.copyIds('')] },
    ...{ problems: [...index.problems()], marks: ['a', 'a:1', 'b'].map((name) => index.mark(name)) },
  };
};

/** One of the two indexes, and the version that it builds. */
class Twin {
  readonly index: IndexWriter;
  #version: NewVersion | null = null;

  constructor(index: IndexWriter) {
    this.index = index;
  }

  /** @returns what a person sees of the step: the error, or the state in the transaction */
  take({ on, changes, fails }: Step): unknown {
    const act = (tx: IndexTransaction) => {
      for (const one of changes) one(tx);
      if (fails) throw new Error('enough');
      return [tx.summary.totals, [...tx.bags()], [...tx.objectsOfBag('a')]];
    };
    try {
      if (on === 'read') return this.index.transact(act);
      if (on === 'new') return this.#version?.transact(act);
      if (on === 'publish') return this.#version?.publish(act);
      if (on === 'begin') this.#version = this.index.newVersion();
      else this.index.tidy();
      return null;
    } catch (error) {
      return String(error);
    }
  }
}

describe('the index in memory and on disk', () => {
  it('give the same answers after the same steps, and sums that match a recount', async () => {
    const folder = temporaryFolder();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        run += 1;
        const disk = new Twin(openIndexWriter(`${folder.path}/${run}`, { source, maxBytes: 2 ** 26 }));
        const memory = new Twin(memoryIndex(source));
        for (const one of steps) {
          expect(disk.take(one)).to.deep.equal(memory.take(one));
          expect(everything(disk.index)).to.deep.equal(everything(memory.index));
          expect(recount(disk.index)).to.deep.equal(disk.index.summary.totals);
        }
        await disk.index.close();
      }),
      { numRuns: 40 },
    );
    folder.remove();
  });
});
