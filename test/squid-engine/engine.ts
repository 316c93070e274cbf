// The squid directory with the real query engine in two releases, `npm run test:squid`.
import { squidContract } from '../directory/squid/squid.contract.ts';
import { releases, startRealSquid } from './real-squid.ts';
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
}
