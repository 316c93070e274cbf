// The squid directory with the double.
import { startSquidDouble } from '../../support/squid-double/squid-double.ts';
import { worldOf } from '../../support/squid-world.ts';
import { squidContract } from './squid.contract.ts';

squidContract('the double', async () => {
  const double = await startSquidDouble(worldOf({ bags: 0, objects: 0 }));
  return {
    url: double.url,
    set: async (world) => {
      double.world = world;
    },
    stop: () => double.stop(),
  };
});
