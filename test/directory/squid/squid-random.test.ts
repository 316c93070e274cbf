// Random changes, faults, restarts and settings: in the end the index equals the directory, and on the way it is consistent.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { Settings } from '../../../machines/settings.ts';
import { openIndexWriter } from '../../../src/store/lmdb-index.ts';
import type { IndexWriter } from '../../../src/store/object-index.ts';
import { startSquidDouble } from '../../support/squid-double/squid-double.ts';
import { type SquidRig, squidRig, squidSetup } from '../../support/squid-rig.ts';
import {
  contentsFor,
  contentsOf,
  type World,
  type WorldBag,
  withBags,
  worldBucket,
  worldObject,
} from '../../support/squid-world.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { until } from '../../support/until.ts';

const bucketIds = ['1:0', '10:0', '2:0'];
const bucketsArbitrary = fc.subarray(bucketIds);

const bagArbitrary: fc.Arbitrary<WorldBag> = fc.record({
  distributionBuckets: bucketsArbitrary,
  storageBuckets: fc.subarray(['0', '1']),
  objects: fc.constant({}),
});

/** Each bag has numbers of its own. */
const bagChange = fc.tuple(fc.nat(11), fc.option(bagArbitrary), fc.subarray([0, 1, 2, 3]), fc.boolean());

const settingsArbitrary: fc.Arbitrary<Settings> = fc.oneof(
  fc.record({ workerId: fc.constant(null), buckets: bucketsArbitrary }),
  fc.record({ workerId: fc.nat(2), buckets: fc.constant(null) }),
);

const stepArbitrary = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('change' as const), change: bagChange }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('workers' as const),
      workers: fc.array(fc.subarray([0, 1, 2]), { minLength: 3, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('settings' as const), settings: settingsArbitrary }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('failure' as const), atQuery: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('stop' as const), atQuery: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reindexing' as const), height: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('sync' as const) }) },
);

function changed(
  world: World,
  [number, bag, members, isAccepted]: [number, WorldBag | null, number[], boolean],
): World {
  const objects = Object.fromEntries(
    members.map((n) => [String(number * 10 + n), worldObject(number * 10 + n, { accepted: isAccepted })]),
  );
  return withBags(world, { [`dynamic:channel:${number}`]: bag && { ...bag, objects } });
}

describe('the sync with a squid, at random', function () {
  this.timeout(120_000);

  it('ends with what the squid has, whatever happened, in memory and on disk', async () => {
    await fc.assert(fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 12 }), run), {
      numRuns: 30,
      endOnFailure: true,
    });
  });

  async function run(
    steps: readonly (typeof stepArbitrary extends fc.Arbitrary<infer Step> ? Step : never)[],
  ): Promise<void> {
    const empty: World = {
      height: 100,
      buckets: Object.fromEntries(bucketIds.map((id, n) => [id, worldBucket([n])])),
      bags: {},
    };
    const full = Array.from({ length: 8 }, (_, n) => n).reduce(
      (world, n) =>
        changed(world, [n, { distributionBuckets: ['1:0'], storageBuckets: [], objects: {} }, [0, 1], true]),
      empty,
    );
    const double = await startSquidDouble(full);
    const folder = temporaryFolder();
    mkdirSync(join(folder.path, 'index'));
    const openIndex = (): IndexWriter =>
      openIndexWriter(join(folder.path, 'index'), { source: { kind: 'squid', name: 'a squid' }, maxBytes: 2 ** 26 });
    let settings: Settings = { workerId: null, buckets: ['1:0'] };
    let index = openIndex();
    let rig: SquidRig | null = null;
    const open = async (): Promise<SquidRig> => {
      if (rig) return rig;
      rig = squidRig(squidSetup(double.url), index);
      await rig.first(settings);
      return rig;
    };
    const close = async (): Promise<void> => {
      await rig?.directory.stop();
      await index.close();
      rig = null;
      index = openIndex();
    };
    try {
      for (const step of steps) {
        switch (step.type) {
          case 'change':
            double.world = changed(double.world, step.change);
            break;
          case 'workers': {
            const buckets = Object.fromEntries(bucketIds.map((id, n) => [id, worldBucket(step.workers[n] ?? [])]));
            double.world = { ...withBags(double.world, {}), buckets };
            break;
          }
          case 'settings': {
            ({ settings } = step);
            const running = rig as SquidRig | null;
            const rest = running?.clock.rest();
            running?.directory.configure(settings);
            await rest;
            break;
          }
          case 'failure': {
            let left = step.atQuery;
            double.fault = () => (left-- <= 0 ? { data: () => null } : undefined);
            await (await open()).sync();
            double.fault = null;
            break;
          }
          case 'stop': {
            const opened = await open();
            let left = step.atQuery;
            let isHanging = false;
            double.fault = () => {
              isHanging = left-- <= 0;
              return isHanging ? 'hang' : undefined;
            };
            opened.clock.wake();
            await until(
              () => isHanging || (opened.clock.resting === 1 && opened.directory.progress.activity === 'idle'),
            );
            await close();
            double.fault = null;
            break;
          }
          case 'reindexing': {
            const { world } = double;
            double.world = { ...world, height: step.height, bags: {} };
            const before = contentsOf(index).objects;
            // Twice: a loss alone would be confirmed.
            await (await open()).sync();
            await (await open()).sync();
            if (rig !== null && Object.keys(before).length > 0)
              expect(contentsOf(index).objects).to.include.keys(Object.keys(before));
            double.world = world;
            break;
          }
          case 'sync':
            await (await open()).sync();
        }
        for (const [id] of index.bags())
          for (const object of index.objectsOfBag(id)) expect(index.object(object)?.bag).to.equal(id);
      }
      // Large losses need a confirmation.
      const opened = await open();
      for (let round = 0; round < 3; round += 1) {
        double.world = withBags(double.world, {});
        await opened.sync();
      }
      expect(opened.directory.conditions).to.deep.equal([]);
      expect(contentsOf(index)).to.deep.equal(contentsFor(double.world, settings));
    } finally {
      await (rig as SquidRig | null)?.directory.stop();
      await index.close();
      await double.stop();
      folder.remove();
    }
  }
});
