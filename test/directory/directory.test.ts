// The contract of the directory port, run against the directory in memory and a catalogue on disk.
import { expect } from 'chai';
import { openCatalogue } from '../../src/directory/catalogue/catalogue.ts';
import type { Directory } from '../../src/directory/directory.ts';
import { memoryDirectory } from '../../src/directory/memory-directory.ts';
import type { DirectoryChange } from '../../src/ipc/messages.ts';
import { observe } from '../support/directory-observer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Object ids to the buckets they lie in; bucket ids to the workers that hold them. */
interface Content {
  readonly objects: Readonly<Record<string, readonly string[]>>;
  readonly workers: Readonly<Record<string, readonly number[]>>;
}

interface Subject {
  readonly directory: Directory;
  change(content: Content): void;
  remove(): void;
}

const first: Content = { objects: { '1': ['a'], '2': ['a', 'b'] }, workers: { a: [0, 7], c: [7] } };
const second: Content = { objects: { '2': ['b'], '3': ['d'] }, workers: {} };

const subjects: Record<string, (content: Content) => Subject> = {
  'the directory in memory': (content) => {
    const snapshotOf = ({ objects, workers }: Content) => ({
      objects: Object.entries(objects).map(([id, buckets]) => ({
        ...{ id, buckets, path: `/films/${id}`, size: 1, type: 'text/plain', hash: `hash of ${id}` },
        ...{ verified: { size: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }, accepted: true },
      })),
      bucketWorkers: workers,
    });
    const directory = memoryDirectory(snapshotOf(content));
    return { directory, change: (next) => directory.replace(snapshotOf(next)), remove: () => {} };
  },
  'a catalogue': (content) => {
    const folder = temporaryFolder();
    const write = ({ objects, workers }: Content) => {
      const holders = [...new Set(Object.values(workers).flat())];
      const list = Object.entries(objects).map(([id, buckets]) => ({ id, file: `${id}.txt`, buckets }));
      for (const { file } of list) folder.write(file, 'x');
      const held = holders.map((id) => ({
        id,
        buckets: Object.keys(workers).filter((it) => workers[it]?.includes(id)),
      }));
      return folder.write('catalogue.yml', JSON.stringify({ objects: list, workers: held }));
    };
    const file = write(content);
    const directory = openCatalogue({
      file,
      stateDirectory: `${folder.path}/state`,
      checkEveryMs: 20,
      firstLookMs: 60_000,
    });
    return { directory, change: write, remove: folder.remove };
  },
};

for (const [name, make] of Object.entries(subjects)) {
  describe(`${name}, as a directory`, () => {
    let subject: Subject;
    let directory: Directory;

    beforeEach(() => {
      subject = make(first);
      directory = subject.directory;
    });

    afterEach(async () => {
      await directory.stop();
      subject.remove();
    });

    it('notifies no listener before the start', () => {
      const { changes } = observe(directory);
      expect(changes).to.be.empty;
      expect(directory.conditions).to.be.empty;
      expect(directory.knows('a')).to.be.false;
    });

    it('has reported everything when the start resolves', async () => {
      const observer = observe(directory);
      await directory.start();
      expect(observer.ids()).to.deep.equal(['1', '2']);
      expect(observer.object('2')).to.include({ size: 1, type: 'text/plain', accepted: true });
      expect(observer.object('2')?.buckets).to.deep.equal(['a', 'b']);
      expect(observer.bucketWorkers()).to.deep.equal({ a: [0, 7], c: [7] });
    });

    it('can be started twice and reports once', async () => {
      const observer = observe(directory);
      await Promise.all([directory.start(), directory.start()]);
      expect(observer.changes.filter(({ type }) => type === 'replaced')).to.have.length(1);
    });

    it('knows a bucket that contains an object or is held by a worker, and the syntax of ids', async () => {
      await directory.start();
      expect(['a', 'b', 'c', 'd', 'constructor'].map((id) => directory.knows(id))).to.deep.equal([
        true,
        true,
        true,
        false,
        false,
      ]);
      expect(['1:0', ''].map((id) => directory.isBucketId(id))).to.deep.equal([true, false]);
    });

    it('lists the buckets of a worker in natural order, and the same list until the directory changes', async () => {
      expect(directory.bucketsOf(7)).to.deep.equal([]);
      const observer = observe(directory);
      subject.change({ objects: { '1': ['x'] }, workers: { '1:10': [7], '2:0': [7, 8], '1:9': [7, 7], '1:0': [8] } });
      await directory.start();
      expect(directory.bucketsOf(7)).to.deep.equal(['1:9', '1:10', '2:0']);
      expect(directory.bucketsOf(8)).to.deep.equal(['1:0', '2:0']);
      expect(directory.bucketsOf(9)).to.deep.equal([]);
      expect(directory.bucketsOf(7)).to.equal(directory.bucketsOf(7));
      subject.change(second);
      await observer.until(() => observer.ids().includes('3'));
      expect(directory.bucketsOf(7)).to.deep.equal([]);
    });

    it('returns its contents', async () => {
      expect([...directory.contents().objects]).to.deep.equal([]);
      await directory.start();
      const { objects, bucketWorkers } = directory.contents();
      expect([...objects].map(({ id, buckets }) => [id, buckets])).to.deep.equal([
        ['1', ['a']],
        ['2', ['a', 'b']],
      ]);
      expect(bucketWorkers).to.deep.equal({ a: [0, 7], c: [7] });
    });

    it('sends the current contents to a late listener at once', async () => {
      const early = observe(directory);
      await directory.start();
      await early.until(() => early.ids().every((id) => early.object(id)?.verified));
      const late = observe(directory);
      expect(late.changes).to.have.length(1);
      expect(late.ids().map(late.object)).to.deep.equal(early.ids().map(early.object));
      expect(late.bucketWorkers()).to.deep.equal(early.bucketWorkers());
    });

    it('reports a change as a whole, and nothing to a listener that has unsubscribed', async () => {
      const observer = observe(directory);
      const gone = observe(directory);
      await directory.start();
      gone.end();
      const before = gone.changes.length;
      subject.change(second);
      await observer.until(() => observer.ids().includes('3'));
      expect(observer.ids()).to.deep.equal(['2', '3']);
      expect(observer.object('2')?.buckets).to.deep.equal(['b']);
      expect(observer.bucketWorkers()).to.deep.equal({});
      expect(['a', 'b', 'd'].map((id) => directory.knows(id))).to.deep.equal([false, true, true]);
      expect(gone.changes).to.have.length(before);
    });

    it('ignores reports about unknown objects', async () => {
      directory.doubt('1');
      await directory.start();
      directory.doubt('99');
      expect(directory.conditions).to.be.empty;
    });

    it('notifies no listener after a stop, which may come at any time and repeatedly', async () => {
      const changes: DirectoryChange[] = [];
      directory.subscribe((change) => changes.push(change));
      const started = directory.start();
      const stopped = [directory.stop(), directory.stop()];
      const before = changes.length;
      await Promise.all([started, ...stopped]);
      directory.doubt('1');
      directory.subscribe((change) => changes.push(change));
      subject.change(second);
      expect(changes).to.have.length(before);
    });
  });
}
