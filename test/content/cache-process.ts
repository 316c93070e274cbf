// A process that downloads, evicts and removes copies until it is killed: `cache-process.js MODE FOLDER SEED`.
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import { CacheRig } from '../support/cache-rig.ts';
import { until } from '../support/until.ts';

const [mode, folder = '', seed = '1'] = process.argv.slice(2);
const report = (message: unknown) => process.send?.(message);

const index = openIndexWriter(join(folder, 'index'), {
  source: { kind: 'squid', name: 'http://squid' },
  maxBytes: 2 ** 24,
});
const kibibyte = 1024;
const objects = 60;

let state = Number(seed);
const random = (below: number): number => {
  state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
  return Math.floor((state / 2 ** 31) * below);
};

const modes: Readonly<Record<string, () => Promise<void>>> = {
  /** Room for about a quarter of the objects. Some downloads fail, settings change, copies are reported as bad. */
  async busy() {
    const rig = new CacheRig({ checkEveryMs: 20, maxBytes: 1500 * kibibyte, maxDownloads: 5 }, index, folder);
    const ids = Array.from({ length: objects }, (_, number) => String(number + 1));
    for (const [number, id] of ids.entries()) {
      await rig.add(id, (number + 1) * 3 * kibibyte, number % 5 === 0 ? { bag: 'others' } : {});
    }
    rig.settings = { workerId: null, buckets: ['1:0', '2:0'] };
    rig.cache.start();
    report('ready');
    for (;;) {
      const id = ids[random(ids.length)] as string;
      if (random(5) === 0)
        rig.sources.scripts.set(id, [{ failAt: 3 * kibibyte }, { failAt: 3 * kibibyte }, { failAt: 3 * kibibyte }]);
      if (random(8) === 0) {
        rig.settings = { workerId: null, buckets: random(2) === 0 ? ['1:0'] : ['1:0', '2:0'] };
        rig.cache.configure();
      }
      if (random(8) === 0) rig.cache.reportBadCopy(id);
      rig.cache.reportUses({ [id]: 1 });
      const viewer = rig.viewer(id);
      if (random(2) === 0) void viewer.ended().then((word) => report(word));
      else report(await viewer.ended());
      await nextTurn();
    }
  },

  /** Downloads one object that does not fit on the disk, then one that fits. */
  async full() {
    const rig = new CacheRig({ checkEveryMs: 20 }, index, folder);
    await rig.add('1', 4000 * kibibyte);
    await rig.add('2', 4 * kibibyte);
    const words = [await rig.viewer('1').ended()];
    await until(() => rig.cache.downloadsInProgress === 0);
    const [condition] = rig.cache.conditions;
    words.push(await rig.viewer('2').ended());
    await until(() => rig.cache.conditions.length === 0);
    words.push(await rig.viewer('2').ended());
    report({ words, condition, files: rig.files });
    await sleep(600_000);
  },
};

await modes[mode ?? '']?.();
