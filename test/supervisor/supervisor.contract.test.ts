// Real worker processes keep the contract of the public side, one of them as well as several.
import { testLimits } from '../support/public-side-twin.ts';
import { testWorkers } from '../support/server-processes.ts';
import { TestStore } from '../support/test-store.ts';
import { publicSideContract } from './public-side.contract.ts';

for (const count of [1, 2]) {
  describe(`the public side with ${count} server process${count === 1 ? '' : 'es'}`, () => {
    publicSideContract(async ({ port = 0, drainTimeoutMs = 60_000 }, folder) => {
      const store = await TestStore.open(folder);
      const side = testWorkers({
        setup: { id: 'test', version: '0.0.0', limits: testLimits, ...store.setup },
        port,
        count,
        workerTimeoutMs: 30_000,
        drainTimeoutMs,
      });
      return { side, index: store.index, badCopies: store.badCopies, close: () => store.close() };
    });
  });
}
