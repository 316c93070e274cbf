// The contract of the directory port. Each driver brings a harness that turns a world into its source.
import { expect } from 'chai';
import type { Directory } from '../../src/directory/directory.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { IndexSource, IndexTransaction, IndexWriter } from '../../src/store/object-index.ts';
import { type Observer, observe } from '../support/directory-observer.ts';

/** What the source of a directory says. */
export interface World {
  /** Object ids to the bags they are in. */
  readonly objects: Readonly<Record<string, string>>;
  /** Bag ids to the distribution buckets they are assigned to. A driver may have ids of its own for bags. */
  readonly bags: Readonly<Record<string, readonly string[]>>;
  /** Bucket ids, such as `1:0`, to the workers that actively distribute them. */
  readonly buckets: Readonly<Record<string, readonly number[]>>;
}

/** A source and its driver. Every object of a world is accepted. */
export interface DirectoryHarness {
  /** Opens a driver on the source; it is not started. Called again after a stop, for a restart. */
  open(index: IndexWriter): Directory;
  /** Changes the source. The running driver finds out by itself, within a second or so. */
  change(world: World): void | Promise<void>;
  /**
   * Takes the source away, or puts it back with its last world.
   * @returns the type of the condition that a driver raises while it is away; null: it cannot be taken away
   */
  breakSource(isBroken: boolean): string | null | Promise<string | null>;
  /** Ends the source. The drivers are stopped by then. */
  end(): void | Promise<void>;
}

export interface DirectoryKind {
  readonly name: string;
  readonly source: IndexSource;
  readonly harness: (world: World) => DirectoryHarness | Promise<DirectoryHarness>;
  /** Left out: an index in memory. */
  readonly openIndex?: (source: IndexSource) => IndexWriter;
}

const first: World = {
  objects: { '1': 'x', '2': 'y', '10': 'x' },
  bags: { x: ['1:0'], y: ['1:0', '2:1'] },
  buckets: { '1:0': [0, 7], '2:1': [7] },
};

/** An object and a bag are gone, one object is new, a bag and a bucket have changed. */
const second: World = {
  objects: { '2': 'y', '3': 'z' },
  bags: { y: ['1:0'], z: ['3:0'] },
  buckets: { '1:0': [7], '3:0': [0] },
};

/** Settings that need every object of both worlds. */
const all = { workerId: null, buckets: ['1:0', '2:1', '3:0'] };

/** The world as the index has it: buckets of objects, sorted, and workers of buckets that have any. */
function contentsOf(world: World) {
  const objects = Object.entries(world.objects).map(([id, bag]) => [id, [...(world.bags[bag] ?? [])].sort()] as const);
  return { objects: Object.fromEntries(objects), workers: world.buckets };
}

function contentsIn({ ids, object, bucketWorkers }: Observer) {
  const objects = ids().map((id) => [id, [...(object(id)?.buckets ?? [])].sort()] as const);
  const workers = Object.entries(bucketWorkers()).map(([id, list]) => [id, [...list].sort()] as const);
  return {
    objects: Object.fromEntries(objects),
    workers: Object.fromEntries(workers.filter(([, list]) => list.length > 0)),
  };
}

/** The index, and how many rows were written through it. */
function counted(index: IndexWriter): { readonly index: IndexWriter; readonly rows: () => number } {
  let rows = 0;
  const counting = (tx: IndexTransaction): IndexTransaction =>
    new Proxy(tx, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key === 'putObject' || key === 'putBag' || key === 'putBucket') rows += 1;
        return value.bind(target);
      },
    });
  const proxy = new Proxy(index, {
    get: (target, key) => {
      if (key === 'transact') {
        return <T>(change: (tx: IndexTransaction) => T) => target.transact((tx) => change(counting(tx)));
      }
      if (key === 'newVersion') {
        return () => {
          const version = target.newVersion();
          return {
            transact: <T>(change: (tx: IndexTransaction) => T) => version.transact((tx) => change(counting(tx))),
            publish: (change?: (tx: IndexTransaction) => void) => version.publish(change),
          };
        };
      }
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { index: proxy, rows: () => rows };
}

export function directoryContract({ name, source, harness, openIndex = memoryIndex }: DirectoryKind): void {
  describe(`${name}, as a directory`, () => {
    let subject: DirectoryHarness;
    let index: IndexWriter;
    let rows: () => number;
    let opened: Directory[];

    beforeEach(async () => {
      subject = await harness(first);
      ({ index, rows } = counted(openIndex(source)));
      opened = [];
    });

    afterEach(async () => {
      await Promise.all(opened.map((directory) => directory.stop()));
      await index.close();
      await subject.end();
    });

    function open(): Observer & { readonly directory: Directory } {
      const directory = subject.open(index);
      opened.push(directory);
      directory.configure(all);
      return { ...observe(directory, index), directory };
    }

    async function openAndRead() {
      const opening = open();
      opening.directory.start();
      await opening.until(() => opening.directory.progress.readAt !== null);
      await opening.until(() => opening.directory.progress.activity === 'idle');
      return opening;
    }

    it('reads and writes nothing before the start, and cannot decide on any object', async () => {
      const { directory, ids } = open();
      expect(ids()).to.be.empty;
      expect(directory.conditions).to.be.empty;
      expect(directory.progress.readAt).to.be.null;
      expect(index.summary).to.include({ readAt: null, version: 0 });
      expect(await directory.lookUp('1')).to.deep.equal({ result: 'undecided' });
    });

    it('writes everything to the index, with its time', async () => {
      const opening = await openAndRead();
      const { directory, object } = opening;
      expect(contentsIn(opening)).to.deep.equal(contentsOf(first));
      expect(object('2')?.accepted).to.be.true;
      expect(index.summary.totals.objects).to.equal(3);
      expect(new Date(index.summary.readAt ?? '').toISOString()).to.equal(index.summary.readAt);
      expect(directory.progress).to.include({ activity: 'idle', objectsRead: null, filesToHash: 0 });
      expect(directory.conditions).to.be.empty;
    });

    it('sums up each bag', async () => {
      await openAndRead();
      const sums = [...index.bags()].map(([, bag]) => [[...bag.distributionBuckets].sort(), bag.objects] as const);
      expect(sums).to.have.deep.members([
        [['1:0'], 2],
        [['1:0', '2:1'], 1],
      ]);
    });

    it('can be started twice', async () => {
      const { directory } = await openAndRead();
      const before = rows();
      directory.start();
      await directory.stop();
      expect(rows()).to.equal(before);
    });

    it('finds an object that exists, and knows that another does not', async () => {
      const { directory } = await openAndRead();
      const found = await directory.lookUp('2');
      if (found.result !== 'found') expect.fail(`2 is ${found.result}`);
      expect(found.object).to.include({ id: '2', accepted: true });
      expect([...found.object.buckets].sort()).to.deep.equal(['1:0', '2:1']);
      expect(found.bucketWorkers).to.deep.equal({ '1:0': [0, 7], '2:1': [7] });
      for (const id of ['99', '0', '9'.repeat(1000)]) {
        expect(await directory.lookUp(id), id).to.deep.equal({ result: 'unknown' });
      }
    });

    it('applies a change of the source, removals included', async () => {
      const opening = await openAndRead();
      const { directory, ids, until } = opening;
      const { readAt } = index.summary;
      await subject.change(second);
      await until(() => ids().join() === '2,3');
      await until(() => directory.progress.activity === 'idle');
      expect(contentsIn(opening)).to.deep.equal(contentsOf(second));
      expect(index.summary.totals).to.include({ objects: 2 });
      expect(index.summary.readAt).to.equal(readAt);
      expect(await directory.lookUp('1')).to.deep.equal({ result: 'unknown' });
    });

    it('writes no row after a restart without a change', async () => {
      const before = await openAndRead();
      await before.directory.stop();
      const { version } = index.summary;
      const written = rows();
      expect(written).to.be.greaterThan(0);
      const after = await openAndRead();
      expect(contentsIn(after)).to.deep.equal(contentsOf(first));
      expect(rows()).to.equal(written);
      expect(index.summary.version).to.equal(version);
    });

    it('finds a change that was made while the node was down', async () => {
      const before = await openAndRead();
      await before.directory.stop();
      await subject.change(second);
      const after = await openAndRead();
      await after.until(() => after.ids().join() === '2,3');
      expect(contentsIn(after)).to.deep.equal(contentsOf(second));
    });

    it('keeps what it has read while its source is unavailable, even after a restart, and raises a condition', async () => {
      const before = await openAndRead();
      const type = await subject.breakSource(true);
      if (type === null) return;
      await before.until(() => before.conditions().includes(type));
      await before.directory.stop();
      const after = open();
      after.directory.start();
      await after.until(() => after.conditions().includes(type));
      expect(contentsIn(after)).to.deep.equal(contentsOf(first));
      expect((await after.directory.lookUp('2')).result).to.equal('found');
      await subject.breakSource(false);
      await after.until(() => !after.conditions().includes(type));
      expect(contentsIn(after)).to.deep.equal(contentsOf(first));
    });

    it('starts without its source, raises a condition, and cannot decide on any object until the source is back', async () => {
      const type = await subject.breakSource(true);
      if (type === null) return;
      const opening = open();
      const { directory, conditions, until } = opening;
      directory.start();
      await until(() => conditions().includes(type));
      expect(index.summary.readAt).to.be.null;
      expect(await directory.lookUp('1')).to.deep.equal({ result: 'undecided' });
      await subject.breakSource(false);
      await until(() => index.summary.readAt !== null && !conditions().includes(type));
      expect(contentsIn(opening)).to.deep.equal(contentsOf(first));
    });

    it('ignores reports of bad copies of unknown objects, even before the start', async () => {
      const { directory } = open();
      directory.reportBadCopy('1');
      const started = await openAndRead();
      started.directory.reportBadCopy('99');
      expect(started.directory.conditions).to.be.empty;
    });

    it('writes nothing and notifies no listener after a stop, which may happen at any time and repeatedly', async () => {
      const { directory } = open();
      let changes = 0;
      directory.subscribe(() => {
        changes += 1;
      });
      directory.start();
      await Promise.all([directory.stop(), directory.stop()]);
      const before = { rows: rows(), changes };
      directory.start();
      directory.reportBadCopy('1');
      await subject.change(second);
      // Another driver on the same source is the clock: it has found the change.
      const other = subject.open(memoryIndex(source));
      opened.push(other);
      other.configure(all);
      const observer = observe(other, index);
      other.start();
      await observer.until(() => other.progress.readAt !== null && other.progress.activity === 'idle');
      expect({ rows: rows(), changes }).to.deep.equal(before);
    });
  });
}
