// Syncs with a squid that fails, falls behind, loses objects, or is interrupted, and what is written to the index.
import { expect } from 'chai';
import type { Settings } from '../../../machines/settings.ts';
import type { ReasonOf } from '../../../src/base/condition.ts';
import { memoryIndex } from '../../../src/store/memory-index.ts';
import { type Fault, type SquidDouble, startSquidDouble } from '../../support/squid-double/squid-double.ts';
import { type SquidRig, squidRig, squidSetup } from '../../support/squid-rig.ts';
import {
  contentsFor,
  contentsOf,
  type World,
  type WorldBag,
  withBags,
  worldBucket,
  worldObject,
  worldOf,
} from '../../support/squid-world.ts';
import { until } from '../../support/until.ts';

const settings: Settings = { workerId: null, buckets: ['1:0'] };
const other: Settings = { workerId: null, buckets: ['2:0'] };

describe('the sync with a squid', () => {
  let double: SquidDouble;
  const rigs: SquidRig[] = [];
  beforeEach(async () => {
    double = await startSquidDouble(worldOf({ bags: 10, objects: 10 }));
  });
  afterEach(async () => {
    for (const { directory } of rigs.splice(0)) await directory.stop();
    await double.stop();
  });

  function rig(more: Parameters<typeof squidSetup>[1] = {}, existing?: SquidRig): SquidRig {
    const made = squidRig(squidSetup(double.url, more), existing?.index);
    rigs.push(made);
    return made;
  }

  const reasons = ({ directory }: SquidRig) => directory.conditions.map(({ type, reason }) => `${type} ${reason}`);
  const pagesAsked = () => double.asked.filter(({ name }) => name === 'Bags').length;
  const askedDuring = async (run: () => Promise<unknown>): Promise<string[]> => {
    const before = double.asked.length;
    await run();
    return double.asked.slice(before).map(({ name, query }) => name || query);
  };
  const bagOf = (world: World, number: number): WorldBag => {
    const bag = world.bags[`dynamic:channel:${number}`];
    if (!bag) throw new Error(`There is no bag ${number}`);
    return bag;
  };

  /** What this fault leads to, with an index that has been read, and with one that has not. */
  const faults: Readonly<Record<string, { fault: Fault; reason: ReasonOf<'SquidUnreachable'>; shows?: RegExp }>> = {
    'does not answer': { fault: 'hang', reason: 'NoAnswer', shows: /within 1000 ms/ },
    'answers 500 with JSON': {
      fault: { status: 500, type: 'application/json', body: '{"errors":[{"message":"connection refused"}]}' },
      reason: 'QueryFailed',
      shows: /connection refused/,
    },
    'answers 413 with HTML': {
      fault: { status: 413, type: 'text/html', body: '<html>PayloadTooLarge' },
      reason: 'BadAnswer',
      shows: /413 \(text\/html\)/,
    },
    'answers 400 with HTML': { fault: { status: 400, type: 'text/html', body: '<html>' }, reason: 'BadAnswer' },
    'answers a redirect': { fault: { status: 302, type: 'text/plain', body: '' }, reason: 'BadAnswer' },
    'answers garbage': { fault: { status: 200, type: 'application/json', body: '{"data":' }, reason: 'BadAnswer' },
    'answers another JSON': { fault: { status: 200, type: 'application/json', body: '[]' }, reason: 'BadAnswer' },
    'answers null data': { fault: { data: () => null }, reason: 'QueryFailed' },
    'answers no list': { fault: { data: () => ({ storageBags: null }) }, reason: 'BadAnswer' },
    'answers a list of nulls': { fault: { data: () => ({ storageBags: [null] }) }, reason: 'BadAnswer' },
    'answers a bag without objects': {
      fault: {
        data: () => ({ storageBags: [{ id: 'a', objects: null, storageBuckets: [], distributionBuckets: [] }] }),
      },
      reason: 'BadAnswer',
      shows: /storageBags\.objects is not a list/,
    },
    'answers an object with a strange id': {
      fault: {
        data: ({ storageBags }) => ({
          storageBags: JSON.parse(JSON.stringify(storageBags).replace(/"id":"(\d+)"/, '"id":"../$1"')),
        }),
      },
      reason: 'BadAnswer',
    },
    'has another schema': {
      fault: {
        status: 400,
        type: 'application/json',
        body: '{"errors":[{"message":"Cannot query field","extensions":{"stack":"at x"}}]}',
      },
      reason: 'OtherSchema',
      shows: /Cannot query field$/,
    },
    'answers with control characters and without end': {
      fault: {
        status: 400,
        type: 'application/json',
        body: JSON.stringify({ errors: [{ message: `\u001b[31mred\u0007${'x'.repeat(5000)}` }] }),
      },
      reason: 'OtherSchema',
      shows: /^[\x20-\x7e…]{1,400}$/,
    },
  };

  for (const [what, { fault, reason, shows }] of Object.entries(faults)) {
    it(`reports a squid that ${what}, drops nothing, and goes on when it works`, async () => {
      const one = rig({ pageTimeoutMs: fault === 'hang' ? 1000 : 20_000 });
      double.fault = ({ name }) => (name === 'Bags' ? fault : undefined);
      await one.first(settings);
      expect(reasons(one)).to.deep.equal([`SquidUnreachable ${reason}`]);
      if (shows) expect(one.directory.conditions[0]?.message).to.match(shows);
      expect(one.directory.progress).to.deep.include({ activity: 'idle', readAt: null });
      double.fault = null;
      await one.sync();
      expect(reasons(one)).to.deep.equal([]);
      const before = contentsOf(one.index);
      expect(before).to.deep.equal(contentsFor(double.world, settings));
      double.fault = ({ name }) => (name === 'Bags' ? fault : undefined);
      double.world = withBags(double.world, { 'dynamic:channel:1': null });
      await one.sync();
      expect(reasons(one)).to.deep.equal([`SquidUnreachable ${reason}`]);
      expect(contentsOf(one.index)).to.deep.equal(before);
      double.fault = null;
      await one.sync();
      expect(reasons(one)).to.deep.equal([]);
      expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, settings));
    });
  }

  it('reports a squid that is down', async () => {
    const one = rig();
    await one.first(settings);
    const before = contentsOf(one.index);
    await double.stop();
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidUnreachable NoConnection']);
    expect(one.directory.conditions[0]?.message).to.match(/cannot be reached: ECONNREFUSED$/);
    expect(contentsOf(one.index)).to.deep.equal(before);
  });

  it('logs a failure once, until a sync succeeds or fails for another reason', async () => {
    const one = rig();
    double.fault = () => ({ status: 500, type: 'text/plain', body: '' });
    await one.first(settings);
    await one.sync();
    expect(one.logged).to.have.lengthOf(1);
    double.fault = () => ({ status: 503, type: 'text/plain', body: '' });
    await one.sync();
    expect(one.logged).to.have.lengthOf(2);
    double.fault = null;
    await one.sync();
    double.fault = () => ({ status: 503, type: 'text/plain', body: '' });
    await one.sync();
    expect(one.logged.filter((line) => line.includes('failed'))).to.have.lengthOf(3);
  });

  it('changes nothing when the squid closes a connection between two queries', async () => {
    const one = rig();
    await one.first(settings);
    double.closeConnections();
    double.world = withBags(double.world, {});
    await one.sync();
    expect(reasons(one)).to.deep.equal([]);
    expect(one.logged).to.have.lengthOf(1);
  });

  it('keeps the condition while only the small queries succeed', async () => {
    const one = rig();
    double.fault = ({ name }) => (name === 'Bags' ? { data: () => null } : undefined);
    await one.first(settings);
    const seen: string[] = [];
    one.directory.subscribe(() => seen.push(reasons(one).join()));
    await one.sync();
    expect(new Set(seen)).to.deep.equal(new Set(['SquidUnreachable QueryFailed']));
  });

  it('sends user and password, and never shows them', async () => {
    const one = rig({ url: double.url.replace('//', '//anna:s%20cret@') });
    double.fault = () => ({ status: 401, type: 'text/plain', body: 'no' });
    await one.first(settings);
    expect(double.asked[0]?.authorization).to.equal(`Basic ${Buffer.from('anna:s cret').toString('base64')}`);
    expect(one.directory.conditions[0]?.message).to.include(`${double.url} answered 401`);
    expect(JSON.stringify([one.directory.conditions, one.logged])).not.to.match(/anna|cret/);
    const wrong = rig({ url: 'nonsense://anna:secret@' });
    await wrong.first(settings);
    expect(reasons(wrong)).to.deep.equal(['SquidUnreachable NoConnection']);
    expect(JSON.stringify([wrong.directory.conditions, wrong.logged])).not.to.match(/anna|secret/);
  });

  it('sends one query at a time', async () => {
    await rig({ pageBags: 1 }).first(settings);
    expect(double.mostInFlight).to.equal(1);
    expect(pagesAsked()).to.equal(11);
  });

  it('writes only differences, each page at once, and nothing for a page that has not changed', async () => {
    const one = rig();
    const first = await one.during(() => one.first(settings));
    // The buckets, four pages, the end.
    expect(first).to.deep.equal({ transactions: 6, objects: 100, bags: 10, removed: 0 });
    double.world = withBags(double.world, {});
    expect(await one.during(() => one.sync())).to.deep.equal({ transactions: 1, objects: 0, bags: 0, removed: 0 });
    const bag = bagOf(double.world, 4);
    const flipped = { ...bag.objects, 31: worldObject(31, { accepted: false }) };
    double.world = withBags(double.world, { 'dynamic:channel:4': { ...bag, objects: flipped } });
    const { objects, transactions } = await one.during(() => one.sync());
    expect({ objects, transactions }).to.deep.equal({ objects: 1, transactions: 2 });
    expect(one.index.object('31')?.accepted).to.equal(false);
    const moved = { ...bagOf(double.world, 5), distributionBuckets: ['2:0', '1:0'] };
    double.world = {
      ...withBags(double.world, { 'dynamic:channel:5': moved }),
      buckets: { '1:0': worldBucket([0]), '2:0': worldBucket([]) },
    };
    expect((await one.during(() => one.sync())).objects).to.equal(0);
    expect(one.index.bag('dynamic:channel:5')?.distributionBuckets).to.deep.equal(['1:0', '2:0']);
    const { 1: _, ...fewer } = bagOf(double.world, 1).objects;
    double.world = withBags(double.world, { 'dynamic:channel:1': { ...bagOf(double.world, 1), objects: fewer } });
    const removal = await one.during(() => one.sync());
    expect(removal).to.deep.include({ objects: 0, removed: 1 });
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, settings));
  });

  it('asks for nothing more than the height and the buckets while the squid processes no block', async () => {
    const one = rig();
    await one.first(settings);
    const asked = await askedDuring(() => one.sync());
    expect(asked).to.deep.equal([
      '{ squidVersion { version } }',
      '{ squidStatus { height } }',
      'Buckets',
      'StorageNodes',
    ]);
    expect(await one.during(() => one.sync())).to.deep.include({ transactions: 0 });
  });

  it('never shows an object without its bag', async () => {
    const one = rig({ pageBags: 1 });
    const wrong: string[] = [];
    one.directory.subscribe(() => {
      for (const [id] of one.index.bags())
        for (const object of one.index.objectsOfBag(id)) if (one.index.object(object)?.bag !== id) wrong.push(object);
    });
    await one.first(settings);
    expect(wrong).to.deep.equal([]);
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, settings));
  });

  it('continues where it was killed', async () => {
    double.world = worldOf({ bags: 30, objects: 5 });
    const one = rig({ pageBags: 2 });
    one.directory.configure(settings);
    double.fault = ({ name }) => (name === 'Bags' && pagesAsked() > 8 ? 'hang' : undefined);
    one.directory.start();
    await until(() => pagesAsked() === 9);
    expect(one.directory.progress).to.deep.include({ activity: 'reading', bagsRead: 16, objectsRead: 80 });
    await one.directory.stop();
    double.fault = null;
    const two = rig({ pageBags: 2 }, one);
    const asked = await askedDuring(() => two.first(settings));
    // Eight pages of 15 are here; the last is empty.
    expect(asked.filter((name) => name === 'Bags')).to.have.lengthOf(8);
    expect(asked).not.to.include('NamedBags');
    expect(contentsOf(two.index)).to.deep.equal(contentsFor(double.world, settings));
    expect(two.written.objects).to.equal(70);
  });

  it('also continues a sync without changes, re-reading only a few pages', async () => {
    double.world = worldOf({ bags: 60, objects: 1 });
    const one = rig({ pageBags: 1 });
    await one.first(settings);
    double.world = withBags(double.world, {});
    const before = pagesAsked();
    double.fault = ({ name }) => (name === 'Bags' && pagesAsked() - before > 45 ? 'hang' : undefined);
    one.clock.wake();
    await until(() => pagesAsked() - before === 46);
    await one.directory.stop();
    double.fault = null;
    const two = rig({ pageBags: 1 }, one);
    const asked = await askedDuring(() => two.first(settings));
    expect(asked.filter((name) => name === 'Bags')).to.have.lengthOf(21);
    expect(asked).not.to.include('NamedBags');
    expect(contentsOf(two.index)).to.deep.equal(contentsFor(double.world, settings));
  });

  it('asks for smaller pages while answers are late, and for larger ones later', async () => {
    double.fault = ({ name, variables }) => (name === 'Bags' && Number(variables.limit) > 2 ? 'hang' : undefined);
    const one = rig({ pageBags: 8, pageTimeoutMs: 1000 });
    await one.first(settings);
    await one.sync();
    double.onAsked = ({ variables }) => {
      if (variables.limit === 2) double.fault = null;
    };
    await one.sync();
    expect(reasons(one)).to.deep.equal([]);
    const limits = double.asked.filter(({ name }) => name === 'Bags').map(({ variables }) => variables.limit);
    expect(limits).to.deep.equal([8, 4, 2, 4, 8]);
  });

  it('drops nothing while the squid re-indexes the chain', async () => {
    const one = rig();
    await one.first(settings);
    const before = contentsOf(one.index);
    const full = double.world;
    double.world = { height: 3, buckets: {}, bags: {} };
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
    expect(one.directory.conditions[0]?.message).to.include('block 3; at the last complete sync it was at 100');
    expect(contentsOf(one.index)).to.deep.equal(before);
    // New objects are added all the same.
    const early = { ...bagOf(full, 1), objects: { 77: worldObject(77), 500: worldObject(500) } };
    double.world = { height: 50, buckets: { '1:0': worldBucket([5]) }, bags: { 'dynamic:channel:1': early } };
    await one.sync();
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
    expect(one.index.object('500')).to.deep.include({ bag: 'dynamic:channel:1' });
    expect(one.index.object('1')).to.deep.include({ bag: 'dynamic:channel:1' });
    expect(one.index.bucket('1:0')?.workers).to.deep.equal([0, 5]);
    double.world = { ...full, height: 101 };
    await one.sync();
    expect(reasons(one)).to.deep.equal([]);
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(full, settings));
  });

  it('knows the height of a sync that was not complete', async () => {
    const one = rig();
    double.fault = ({ name }) => (name === 'Bags' && pagesAsked() > 2 ? { data: () => null } : undefined);
    await one.first(settings);
    double.fault = null;
    double.world = { ...double.world, height: 60, bags: {} };
    await one.sync();
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
    expect(one.index.summary.totals.objects).to.equal(60);
    expect(one.directory.progress.height).to.equal(60);
  });

  it('drops nothing when the height falls during the sync, or is not said any more', async () => {
    const one = rig();
    await one.first(settings);
    const before = contentsOf(one.index);
    const { world } = double;
    double.world = withBags(world, { 'dynamic:channel:1': null });
    double.onAsked = ({ name }) => {
      if (name === 'Bags') double.world = { ...double.world, height: 2 };
    };
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
    expect(contentsOf(one.index)).to.deep.equal(before);
    double.onAsked = null;
    double.world = { ...double.world, height: null };
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
    expect(contentsOf(one.index)).to.deep.equal(before);
  });

  it('drops nothing when the height falls while it queries what seems gone', async () => {
    const one = rig();
    await one.first(settings);
    const before = contentsOf(one.index);
    double.world = withBags(double.world, { 'dynamic:channel:1': null });
    double.onAsked = ({ name }) => {
      if (name === 'NamedBags') double.world = { ...double.world, height: 2 };
    };
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
    expect(contentsOf(one.index)).to.deep.equal(before);
  });

  for (const height of [101, null]) {
    it(`drops more than half of the objects only when a second sync confirms it (height ${height})`, async () => {
      if (height === null) double.world = { ...double.world, height: null };
      const one = rig();
      await one.first(settings);
      const before = contentsOf(one.index);
      double.world = { ...double.world, height, bags: {} };
      await one.sync();
      expect(reasons(one)).to.deep.equal(['SquidBehind FewerObjects']);
      expect(one.directory.conditions[0]?.message).to.include('100 of 100');
      expect(contentsOf(one.index)).to.deep.equal(before);
      double.fault = ({ name }) => (name === 'Bags' ? { data: () => null } : undefined);
      await one.sync();
      expect(contentsOf(one.index)).to.deep.equal(before);
      double.fault = null;
      await one.sync();
      expect(reasons(one)).to.deep.equal([]);
      expect(contentsOf(one.index)).to.deep.include({ bags: {}, objects: {} });
    });
  }

  it('forgets a loss that the second sync does not confirm', async () => {
    const one = rig();
    await one.first(settings);
    const { world } = double;
    double.world = { ...world, height: 101, bags: {} };
    await one.sync();
    double.world = { ...world, height: 102 };
    await one.sync();
    expect(reasons(one)).to.deep.equal([]);
    double.world = { ...world, height: 103, bags: {} };
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind FewerObjects']);
    expect(contentsOf(one.index).objects).to.have.property('100');
  });

  it('counts objects lost from bags, not only lost bags', async () => {
    const one = rig();
    await one.first(settings);
    const { world } = double;
    const emptied = (most: number) =>
      Object.fromEntries(
        Array.from({ length: most }, (_, n) => [`dynamic:channel:${n + 1}`, { ...bagOf(world, n + 1), objects: {} }]),
      );
    double.world = withBags(world, emptied(6));
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind FewerObjects']);
    expect(one.index.object('1')).not.to.equal(undefined);
    double.world = withBags(world, emptied(5), 102);
    await one.sync();
    expect(reasons(one)).to.deep.equal([]);
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, settings));
  });

  it('removes workers only at the end of a trusted sync', async () => {
    const one = rig();
    const ofWorker: Settings = { workerId: 0, buckets: null };
    await one.first(ofWorker);
    double.world = { ...double.world, height: 101, buckets: { '1:0': worldBucket([]) } };
    await one.sync();
    expect(reasons(one)).to.deep.equal(['SquidBehind FewerObjects']);
    expect(one.index.bucket('1:0')?.workers).to.deep.equal([0]);
    await one.sync();
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, ofWorker));
  });

  it('writes and removes no more than some thousand objects at a time, so that it can be asked in between', async () => {
    double.world = {
      ...worldOf({ bags: 10, objects: 900 }),
      buckets: { '1:0': worldBucket([]), '2:0': worldBucket([]) },
    };
    const index = memoryIndex({ kind: 'squid', name: double.url });
    const { transact } = index;
    const sizes: number[] = [];
    index.transact = (change) => {
      const before = index.summary.totals.objects;
      const result = transact.call(index, change);
      sizes.push(Math.abs(index.summary.totals.objects - before));
      return result as never;
    };
    const large = squidRig(squidSetup(double.url, { pageBags: 10 }), index);
    rigs.push(large);
    await large.first(settings);
    expect(contentsOf(large.index)).to.deep.equal(contentsFor(double.world, settings));
    const rest = large.clock.rest();
    large.directory.configure(other);
    await rest;
    expect(contentsOf(large.index)).to.deep.equal(contentsFor(double.world, other));
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.equal(18_000);
    expect(Math.max(...sizes)).to.be.lessThan(2001);
  });

  it('needs no confirmation for what other settings do not cover', async () => {
    double.world = {
      ...worldOf({ bags: 10, objects: 10 }),
      buckets: { '1:0': worldBucket([]), '2:0': worldBucket([]) },
    };
    const one = rig();
    await one.first(settings);
    const rest = one.clock.rest();
    const asked = await askedDuring(async () => {
      one.directory.configure(other);
      await rest;
    });
    expect(reasons(one)).to.deep.equal([]);
    expect(asked).not.to.include('NamedBags');
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, other));
  });

  it('starts over when the settings change during a sync, and keeps the old bags until its end', async () => {
    const [half, rest] = [worldOf({ bags: 10, objects: 2 }), worldOf({ bags: 20, objects: 2, buckets: ['2:0'] })];
    const later = Object.entries(rest.bags).slice(10);
    double.world = {
      height: 100,
      buckets: { ...half.buckets, ...rest.buckets },
      bags: { ...Object.fromEntries(later), ...half.bags },
    };
    const one = rig();
    await one.first(settings);
    double.world = withBags(double.world, {});
    const asked = pagesAsked();
    const kept: boolean[] = [];
    double.onAsked = ({ name, variables }) => {
      if (name !== 'Bags') return;
      if (pagesAsked() === asked + 2) one.directory.configure(other);
      if (String(variables.buckets) === '2:0') kept.push(one.index.object('1') !== undefined);
    };
    await one.sync();
    expect(kept).to.have.length.above(2);
    expect(new Set(kept)).to.deep.equal(new Set([true]));
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, other));
  });

  it('does not drop what a squid that is behind cannot know, even after a change of settings', async () => {
    const one = rig();
    await one.first(settings);
    double.world = { ...double.world, height: 5 };
    const rest = one.clock.rest();
    one.directory.configure(other);
    await rest;
    expect(one.index.object('1')).not.to.equal(undefined);
    expect(reasons(one)).to.deep.equal(['SquidBehind LowerHeight']);
  });

  it('reports its progress, and the version of the squid', async () => {
    double.version = '1.5.0';
    const one = rig();
    const seen = new Set<string>();
    one.directory.subscribe(() => {
      const { activity, bagsRead, objectsRead, height } = one.directory.progress;
      seen.add(`${activity} ${bagsRead} ${objectsRead} ${height}`);
    });
    await one.first(settings);
    expect([...seen]).to.deep.equal([
      'idle null null null',
      'reading 0 0 100',
      'reading 3 30 100',
      'reading 6 60 100',
      'reading 9 90 100',
      'reading 10 100 100',
      'idle null null 100',
    ]);
    expect(one.directory.progress.squidVersion).to.equal('1.5.0');
    const two = rig({}, one);
    expect(two.directory.progress).to.deep.include({ height: 100, readAt: one.directory.progress.readAt });
  });

  it('reports an index that cannot be written, and continues once it can', async () => {
    const index = memoryIndex({ kind: 'squid', name: double.url });
    let isFull = true;
    const failing = new Proxy(index, {
      get: (target, name) => {
        if (name === 'transact' && isFull) {
          return () => {
            throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const one = squidRig(squidSetup(double.url), failing);
    rigs.push(one);
    await one.first(settings);
    expect(reasons(one)).to.deep.equal(['IndexNotWritten DiskFull']);
    isFull = false;
    await one.sync();
    expect(reasons(one)).to.deep.equal([]);
    expect(contentsOf(one.index)).to.deep.equal(contentsFor(double.world, settings));
  });

  it('ends at once while the squid hangs, and writes nothing afterwards', async () => {
    double.fault = () => 'hang';
    const one = rig();
    one.directory.configure(settings);
    one.directory.start();
    await until(() => double.inFlight === 1);
    await one.directory.stop();
    expect(await one.directory.lookUp('1')).to.deep.equal({ result: 'undecided' });
    expect(one.written.transactions).to.equal(0);
  });
});
