// How a server process finds objects: in its index, by look-ups, and after the index was replaced.
import { expect } from 'chai';
import type { DataObject } from '../../machines/answer.ts';
import { ObjectView } from '../../src/public/object-view.ts';
import { dataObject } from '../../src/store/data-object.ts';
import { maxNameBytes } from '../../src/store/index-names.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import { publishObjects, putObjects } from '../support/publish-objects.ts';

const object = (id: string, facts: Partial<DataObject> = {}): DataObject => ({
  ...{ id, path: null, size: 10, type: null, hash: null, verified: null, accepted: true, buckets: ['1:0'] },
  ...facts,
});

const none = { workerId: null, buckets: null };
const catalogue = { kind: 'catalogue', name: '/catalogue.yaml' } as const;
const squid = { kind: 'squid', name: 'http://squid.example/graphql' } as const;

describe('the view of objects', () => {
  it('has an object as the index has it now', () => {
    const [view, index] = [new ObjectView(none, dataObject), memoryIndex(catalogue)];
    view.use(index);
    publishObjects(index, [object('1')]);
    expect(view.find('1')).to.deep.equal(object('1'));
    putObjects(index, [object('1', { size: 20 }), object('2')]);
    expect([view.find('1'), view.find('2')]).to.deep.equal([object('1', { size: 20 }), object('2')]);
    publishObjects(index, [object('2')]);
    expect(view.find('1')).to.equal('unknown');
  });

  it('knows that an object does not exist only from a whole catalogue', () => {
    for (const [source, isRead, finding] of [
      [catalogue, false, 'undecided'],
      [catalogue, true, 'unknown'],
      [squid, false, 'undecided'],
      [squid, true, 'undecided'],
    ] as const) {
      const [view, index] = [new ObjectView(none, dataObject), memoryIndex(source)];
      view.use(index);
      if (isRead) publishObjects(index, []);
      expect(view.find('1'), `${source.kind} ${isRead}`).to.equal(finding);
    }
    expect(new ObjectView(none, dataObject).find('1')).to.equal('undecided');
  });

  it('knows that no directory has an object with a very long id', () => {
    const view = new ObjectView(none, dataObject);
    expect([view.find('1'.repeat(maxNameBytes)), view.find('1'.repeat(maxNameBytes + 1))]).to.deep.equal([
      'undecided',
      'unknown',
    ]);
  });

  it('covers what settings and directory say together, whichever changed last', () => {
    const [view, index] = [new ObjectView({ workerId: 3, buckets: null }, dataObject), memoryIndex(catalogue)];
    expect(view.covers(['1:0'])).to.equal(false);
    view.use(index);
    publishObjects(index, [], JSON.parse('{"1:0":[3],"__proto__":[3]}'));
    expect([view.covers(['1:0']), view.covers(['constructor'])]).to.deep.equal([true, false]);
    index.transact((tx) => tx.putBucket('1:0', { workers: [4], distributing: true }));
    expect(view.covers(['1:0'])).to.equal(false);
    view.configure({ workerId: 4, buckets: null });
    expect([view.covers(['1:0']), view.settings.workerId]).to.deep.equal([true, 4]);
  });

  it('judges a looked-up object by the workers in the answer', () => {
    const view = new ObjectView({ workerId: 3, buckets: null }, dataObject);
    const found = (json: string) =>
      view.judge({ result: 'found', object: object('1'), bucketWorkers: JSON.parse(json) });
    expect(found('{"1:0":[3]}').covers(['1:0'])).to.equal(true);
    expect(found('{"1:0":[4]}').covers(['1:0'])).to.equal(false);
    expect(found('{"__proto__":[3]}').covers(['constructor'])).to.equal(false);
    expect(found('{}').finding).to.deep.equal(object('1'));
    expect(view.judge({ result: 'unknown' }).finding).to.equal('unknown');
    expect(view.judge({ result: 'undecided' }).finding).to.equal('undecided');
  });

  it('closes the index it no longer reads, and no other', () => {
    const closed: string[] = [];
    const index = (name: string) => {
      const own = memoryIndex({ ...catalogue, name });
      own.close = async () => void closed.push(name);
      return own;
    };
    const view = new ObjectView(none, dataObject, { kind: 'catalogue', name: 'ours' });
    const [first, second] = [index('ours'), index('ours')];
    view.use(first);
    view.use(first);
    expect([view.summary?.id, closed]).to.deep.equal([first.summary.id, []]);
    view.use(second);
    expect([view.summary?.id, closed]).to.deep.equal([second.summary.id, ['ours']]);
    view.use(index('theirs'));
    expect([view.summary, closed]).to.deep.equal([null, ['ours', 'ours', 'theirs']]);
  });

  it('reads no index of another directory', () => {
    for (const [source, isRead] of [
      [undefined, true],
      [{ ...catalogue }, true],
      [{ ...catalogue, name: '/other.yaml' }, false],
      [squid, false],
      [null, false],
    ] as const) {
      const view = new ObjectView(none, dataObject, source);
      view.use(memoryIndex(catalogue));
      expect(view.summary !== null, JSON.stringify(source)).to.equal(isRead);
    }
  });
});
