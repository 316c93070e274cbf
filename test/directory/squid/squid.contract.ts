// What the squid directory does with any squid: the double of the everyday tests and the real engine.
import { expect } from 'chai';
import type { Settings } from '../../../machines/settings.ts';
import { SquidClient } from '../../../src/directory/squid/squid-client.ts';
import { SquidFailure, squidAt } from '../../../src/directory/squid/squid-request.ts';
import { squidMark } from '../../../src/ipc/content-messages.ts';
import { type SquidRig, squidRig, squidSetup } from '../../support/squid-rig.ts';
import {
  contentsFor,
  contentsOf,
  type World,
  withBags,
  worldBucket,
  worldObject,
  worldOf,
} from '../../support/squid-world.ts';

export interface SquidServer {
  readonly url: string;
  set(world: World): Promise<void>;
  stop(): Promise<void>;
}

const worker = (workerId: number): Settings => ({ workerId, buckets: null });
const inBuckets = (...buckets: string[]): Settings => ({ workerId: null, buckets });

/** Every case that the squid distinguishes, once. */
const varied: World = {
  height: 100,
  buckets: {
    '1:0': worldBucket([7], { invited: [8] }),
    '10:0': worldBucket([8, 7]),
    '2:0': worldBucket([9], { distributing: false }),
    '2:1': worldBucket([]),
  },
  bags: {
    'dynamic:channel:1': {
      distributionBuckets: ['10:0', '1:0'],
      storageBuckets: ['3', '0'],
      objects: {
        1: worldObject(1),
        2: worldObject(2, { accepted: false }),
        3: worldObject(3, { subtitle: 'text/vtt' }),
        4: worldObject(4, { subtitle: null }),
        5: worldObject(5, { size: '9007199254740993' }),
        '123456789012345678901': worldObject('123456789012345678901', { size: '0' }),
      },
    },
    'dynamic:channel:10': { distributionBuckets: ['2:0'], storageBuckets: [], objects: { 10: worldObject(10) } },
    'dynamic:channel:2': { distributionBuckets: ['1:0'], storageBuckets: ['1'], objects: { 20: worldObject(20) } },
    'static:council': { distributionBuckets: ['2:1', '2:0'], storageBuckets: ['1'], objects: {} },
    'static:wg:storage': { distributionBuckets: [], storageBuckets: ['1'], objects: { 30: worldObject(30) } },
  },
};

export function squidContract(name: string, start: () => Promise<SquidServer>): void {
  describe(`the squid directory, with ${name}`, function () {
    this.timeout(60_000);
    let server: SquidServer;
    const rigs: SquidRig[] = [];
    before(async function () {
      this.timeout(600_000);
      server = await start();
    });
    after(() => server.stop());
    afterEach(async () => {
      for (const { directory } of rigs.splice(0)) await directory.stop();
    });

    function rig(more: Parameters<typeof squidSetup>[1] = {}): SquidRig {
      const made = squidRig(squidSetup(server.url, more));
      rigs.push(made);
      return made;
    }

    const clientOf = (): SquidClient =>
      new SquidClient({
        ...{ ask: squidAt(server.url).ask, pageTimeoutMs: 20_000, lookUpTimeoutMs: 20_000 },
        signal: new AbortController().signal,
      });

    it('reads what a worker needs, with every detail of an object', async () => {
      await server.set(varied);
      const { directory, index, first } = rig();
      await first(worker(7));
      const contents = contentsOf(index);
      expect(contents).to.deep.equal(contentsFor(varied, worker(7)));
      expect(Object.keys(contents.bags)).to.have.members(['dynamic:channel:1', 'dynamic:channel:2']);
      expect(contents.objects[4]?.type).to.equal(null);
      expect(contents.objects[5]?.size).to.equal(null);
      expect(directory.conditions).to.deep.equal([]);
      expect(directory.progress).to.deep.include({ activity: 'idle', bagsRead: null, height: 100 });
      expect(index.summary.readAt).to.equal(directory.progress.readAt).and.not.equal(null);
      const { squidVersion: version } = directory.progress;
      expect(index.mark(squidMark)).to.deep.equal({ height: 100, version });
    });

    it('reads the bags of the configured buckets, and no others', async () => {
      await server.set(varied);
      const { index, first } = rig();
      await first(inBuckets('2:0', 'unknown'));
      expect(contentsOf(index)).to.deep.equal(contentsFor(varied, inBuckets('2:0')));
    });

    it('reads only the buckets when nothing is set', async () => {
      await server.set(varied);
      const { index, first } = rig();
      await first({ workerId: null, buckets: null });
      expect(contentsOf(index)).to.deep.include({ bags: {}, objects: {} });
      expect(contentsOf(index).buckets['10:0']).to.deep.equal({ workers: [7, 8], distributing: true });
    });

    it('reads every page once, in the order of the database', async () => {
      const world = worldOf({ bags: 25, objects: 3 });
      await server.set(world);
      for (const pageBags of [1, 5, 24, 25, 26]) {
        const { index, first, written } = rig({ pageBags });
        await first(inBuckets('1:0'));
        expect(contentsOf(index), `${pageBags}`).to.deep.equal(contentsFor(world, inBuckets('1:0')));
        expect(written, `${pageBags}`).to.deep.include({ objects: 75, removed: 0 });
      }
    });

    it('follows every change: new, moved and removed bags and objects, acceptances, operators', async () => {
      const world = {
        ...worldOf({ bags: 6, objects: 4 }),
        buckets: { '1:0': worldBucket([7]), '2:0': worldBucket([7]) },
      };
      await server.set(world);
      const { index, first, sync, directory } = rig();
      await first(worker(7));
      const [one, two, three] = [1, 2, 3].map((n) => world.bags[`dynamic:channel:${n}`]);
      if (!one || !two || !three) throw new Error('The world lacks a bag');
      const { 1: _, ...left } = one.objects;
      const changed = withBags(world, {
        'dynamic:channel:1': {
          ...one,
          objects: { ...left, 2: worldObject(2, { accepted: false }), 99: worldObject(99) },
        },
        'dynamic:channel:2': { ...two, distributionBuckets: ['2:0'] },
        'dynamic:channel:3': { ...three, storageBuckets: ['1', '0'] },
        'dynamic:channel:4': null,
        'dynamic:channel:7': { distributionBuckets: ['2:0'], storageBuckets: [], objects: { 200: worldObject(200) } },
      });
      const next = {
        ...changed,
        buckets: { '1:0': worldBucket([7, 8]), '2:0': worldBucket([7], { distributing: false }) },
      };
      await server.set(next);
      await sync();
      expect(contentsOf(index)).to.deep.equal(contentsFor(next, worker(7)));
      // The bags of a bucket that its worker has left are no longer needed.
      const without = { ...next, height: 200, buckets: { ...next.buckets, '2:0': worldBucket([]) } };
      await server.set(without);
      await sync();
      expect(contentsOf(index)).to.deep.equal(contentsFor(without, worker(7)));
      expect(directory.conditions).to.deep.equal([]);
    });

    it('reads what other settings need at once, and drops the rest at the end', async () => {
      await server.set(varied);
      const { directory, index, first, clock } = rig();
      await first(worker(7));
      const rest = clock.rest();
      directory.configure(inBuckets('2:0'));
      await rest;
      expect(contentsOf(index)).to.deep.equal(contentsFor(varied, inBuckets('2:0')));
    });

    it('looks up single objects: distributed here, elsewhere, not accepted, in no bucket, unknown', async () => {
      await server.set(varied);
      const { directory, first } = rig();
      await first(inBuckets('2:0'));
      const ids = ['10', '1', '2', '3', '30', '99', '123456789012345678901'];
      const answers = await Promise.all(ids.map((id) => directory.lookUp(id)));
      const one = { path: null, verified: null, type: null, accepted: true, buckets: ['10:0', '1:0'] };
      const workers = { '1:0': [7], '10:0': [7, 8] };
      expect(answers.map((answer) => answer.result)).to.deep.equal([...Array(5).fill('found'), 'unknown', 'found']);
      const found = (id: string) => {
        const answer = answers[ids.indexOf(id)];
        if (answer?.result !== 'found') throw new Error(`${id} is not found`);
        return { object: answer.object, workers: answer.bucketWorkers };
      };
      expect(found('1')).to.deep.equal({ object: { ...one, id: '1', size: 1001, hash: 'gWabc1' }, workers });
      expect(found('2').object).to.deep.include({ accepted: false });
      expect(found('3').object).to.deep.include({ type: 'text/vtt' });
      expect(found('10')).to.deep.include({ workers: { '2:0': [9] } });
      expect(found('10').object).to.deep.include({ buckets: ['2:0'] });
      expect(found('30').object).to.deep.include({ buckets: [] });
      expect(found('123456789012345678901').object).to.deep.include({ size: 0 });
    });

    it('notes the endpoints of active storage nodes, at every sync and only when they change', async () => {
      const world: World = {
        ...varied,
        storageBuckets: {
          '0': { status: 'Active', endpoint: 'https://0.storage.example/' },
          '1': { status: 'Active', endpoint: '' },
          '10': { status: 'Active', endpoint: 'not a URL' },
          '2': { status: 'Active', endpoint: null },
          '3': { status: 'Active' },
          '4': { status: 'Invited', endpoint: 'https://4.storage.example' },
          '5': { status: 'Missing', endpoint: 'https://5.storage.example' },
          '6': { status: 'Active', endpoint: `https://${'x'.repeat(2000)}` },
        },
      };
      await server.set(world);
      const { index, first, sync, during } = rig();
      await first(worker(7));
      const noted = { '0': 'https://0.storage.example/', '10': 'not a URL' };
      expect(index.mark('storageNodes')).to.deep.equal(noted);
      expect(contentsOf(index)).to.deep.equal(contentsFor(world, worker(7)));
      const unchanged = await during(sync);
      expect(unchanged.transactions).to.equal(0);
      // Also without a new block.
      const moved = { '0': { status: 'Active', endpoint: 'https://new.example' } } as const;
      await server.set({ ...world, storageBuckets: moved });
      expect((await during(sync)).transactions).to.equal(1);
      expect(index.mark('storageNodes')).to.deep.equal({ '0': 'https://new.example' });
      // A squid that is behind takes nothing away.
      await server.set({ ...world, height: 1, storageBuckets: {} });
      await sync();
      expect(index.mark('storageNodes')).to.deep.equal({ '0': 'https://new.example' });
      await server.set({ ...world, storageBuckets: {} });
      await sync();
      expect(index.mark('storageNodes')).to.deep.equal({});
    });

    it('looks up hundreds at once', async () => {
      await server.set(worldOf({ bags: 30, objects: 10 }));
      const { directory, first } = rig();
      await first({ workerId: null, buckets: null });
      const ids = Array.from({ length: 350 }, (_, index) => String(index + 1));
      const answers = await Promise.all(ids.map((id) => directory.lookUp(id)));
      const expected = ids.map((id) => (Number(id) <= 300 ? 'found' : 'unknown'));
      expect(answers.map(({ result }) => result)).to.deep.equal(expected);
    });

    it('accepts every query, whatever the lists', async () => {
      await server.set(varied);
      const client = clientOf();
      expect(await client.height()).to.equal(100);
      expect((await client.buckets('', 10)).map(({ id }) => id)).to.deep.equal(['1:0', '10:0', '2:0', '2:1']);
      expect((await client.buckets('10:0', 1)).map(({ id }) => id)).to.deep.equal(['2:0']);
      expect(await client.bags([], '', 10)).to.deep.equal([]);
      expect(await client.namedBags(['1:0'], ['dynamic:channel:10', 'dynamic:channel:2'])).to.have.lengthOf(1);
      expect(await client.objects(['99'])).to.deep.equal([]);
    });

    it('may not report its version', async () => {
      await server.set(varied);
      expect(await clientOf().version()).to.equal(null);
    });

    it('may not report its height', async () => {
      await server.set({ ...varied, height: null });
      const { directory, index, first } = rig();
      await first(worker(7));
      expect(directory.progress.height).to.equal(null);
      expect(contentsOf(index)).to.deep.equal(contentsFor(varied, worker(7)));
      expect(directory.conditions).to.deep.equal([]);
    });

    it('rejects a query for another schema, with a short reason', async () => {
      const signal = new AbortController().signal;
      const query = '{ storageBags { noSuchField } }';
      const failure = await squidAt(server.url)
        .ask({ query, variables: {}, timeoutMs: 20_000, maxBytes: 1_000_000, signal })
        .then(
          () => null,
          (error: unknown) => error,
        );
      if (!(failure instanceof SquidFailure)) throw failure ?? new Error('The query was accepted');
      expect(failure.reason).to.equal('OtherSchema');
      expect(failure.message)
        .to.match(/noSuchField/)
        .and.not.match(/node_modules|\bat /);
    });
  });
}
