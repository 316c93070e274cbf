// The squid directory with the real query engine in two releases, `npm run test:squid`.
import { expect } from 'chai';
import { squidContract } from '../directory/squid/squid.contract.ts';
import { type SquidRig, squidRig, squidSetup } from '../support/squid-rig.ts';
import { contentsFor, contentsOf, withBags, worldOf } from '../support/squid-world.ts';
import { type RealSquid, releases, startRealSquid } from './real-squid.ts';
import { worldSql } from './world-sql.ts';

for (const release of releases) {
  squidContract(`the engine (${release})`, async () => {
    const squid = await startRealSquid();
    return {
      url: await squid.serve(release),
      set: (world) => squid.fillWith(worldSql(world)),
      stop: () => squid.stop(),
    };
  });

  describe(`the faults of the engine (${release})`, function () {
    this.timeout(60_000);
    const settings = { workerId: null, buckets: ['1:0'] };
    const world = worldOf({ bags: 10, objects: 3, buckets: ['1:0', '2:0'] });
    let squid: RealSquid;
    let rig: SquidRig;
    beforeEach(async () => {
      squid = await startRealSquid();
      await squid.fillWith(worldSql(world));
      rig = squidRig(squidSetup(await squid.serve(release)));
      await rig.first(settings);
    });
    afterEach(async () => {
      await rig.directory.stop();
      await squid.stop();
    });

    const reasons = () => rig.directory.conditions.map(({ type, reason }) => `${type} ${reason}`);

    it('a join row without a bucket: the page fails, and nothing is dropped', async () => {
      await squid.fillWith(worldSql(withBags(world, { 'dynamic:channel:1': null })));
      await squid.sql(
        "update distribution_bucket_bag set distribution_bucket_id = null where distribution_bucket_id = '2:0'",
      );
      await rig.sync();
      expect(reasons()).to.deep.equal(['SquidUnreachable QueryFailed']);
      expect(rig.directory.conditions[0]?.message).not.to.match(/node_modules|\n/);
      expect(contentsOf(rig.index)).to.deep.equal(contentsFor(world, settings));
    });

    it('a database that is gone: the queries or the engine fail, and nothing is dropped', async () => {
      await squid.stopDatabase();
      await rig.sync();
      // Connections that end while they are idle end the engine.
      expect(reasons().join()).to.match(/^SquidUnreachable (?:NoConnection|QueryFailed)$/);
      expect(await rig.directory.lookUp('12345')).to.deep.equal({ result: 'undecided' });
      expect(contentsOf(rig.index)).to.deep.equal(contentsFor(world, settings));
    });

    it('tables that are emptied, as when the chain is indexed again: nothing is dropped', async () => {
      await squid.fillWith(worldSql({ height: 1, buckets: {}, bags: {} }));
      await rig.sync();
      await rig.sync();
      expect(reasons()).to.deep.equal(['SquidBehind LowerHeight']);
      expect(contentsOf(rig.index)).to.deep.equal(contentsFor(world, settings));
    });
  });
}
