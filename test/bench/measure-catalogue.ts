// Measures a large catalogue: how long until it is known, and how long the main thread is blocked.
// Run: node dist/test/content/measure-catalogue.js [objects, 100000 by default]
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openCatalogue } from '../../src/directory/catalogue/catalogue.ts';
import { observe } from '../support/directory-observer.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const count = Number(process.argv[2] ?? 100_000);
const folder = temporaryFolder();

async function measure(what: string): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(2);
  const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(1);
  const directory = openCatalogue({
    file,
    stateDirectory: `${folder.path}/state`,
    checkEveryMs: 1000,
    firstLookMs: 60_000,
  });
  let left = Number.POSITIVE_INFINITY;
  directory.subscribe((change) => {
    if (change.type === 'replaced') left = change.snapshot.objects.filter(({ verified }) => verified === null).length;
    else left -= change.objects.filter(({ verified }) => verified !== null).length;
  });
  const { changes, ids, object, until } = observe(directory);
  delay.enable();
  await directory.start();
  console.log(`${what}: first snapshot of ${ids().length} objects after ${seconds()} s`);
  console.log(`  event loop delay until then: p99 ${ms(delay.percentile(99))} ms, max ${ms(delay.max)} ms`);
  delay.reset();
  await until(() => left <= 0, { limitMs: 3_600_000 });
  console.log(`  all verified after ${seconds()} s, ${changes.length} messages, ${object('1')?.type}`);
  console.log(`  event loop delay from there: p99 ${ms(delay.percentile(99))} ms, max ${ms(delay.max)} ms`);
  await directory.stop();
  console.log(`  stopped after ${seconds()} s, ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`);
}

const lines: string[] = [];
for (let n = 1; n <= count; n += 1) {
  const name = `${n % 100}/${n}.bin`;
  folder.write(name, `object ${n}`);
  lines.push(`  - { id: "${n}", file: ${name}, buckets: ["1:${n % 50}"] }`);
}
const file = folder.write('catalogue.yml', ['objects:', ...lines, ''].join('\n'));

try {
  await measure('first start');
  await measure('second start');
} finally {
  folder.remove();
}
