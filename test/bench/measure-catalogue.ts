// Measures the first import of a large NDJSON catalogue into the index on disk, in a process of its own, and a restart.
// Run: node dist/test/bench/measure-catalogue.js [objects, 1000000 by default]
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { finished } from 'node:stream/promises';
import { openCatalogue } from '../../src/directory/catalogue/catalogue.ts';
import { dataObject } from '../../src/store/data-object.ts';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const files = 4000;
const buckets = 100;

/** Reads the catalogue of a folder until it is complete, and prints what that took. */
async function measure(folder: string): Promise<void> {
  const file = join(folder, 'catalogue.ndjson');
  const state = join(folder, 'index');
  mkdirSync(state, { recursive: true });
  const index = openIndexWriter(state, { source: { kind: 'catalogue', name: file }, maxBytes: 2 ** 34 });
  const setup = { kind: 'catalogue', file, checkEveryMs: 2000, maxYamlBytes: 1_048_576, hashBytesPerSec: 0 } as const;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const began = performance.now();
  let mostMb = 0;
  delay.enable();
  const directory = openCatalogue(setup, { index, dataObject, log: { info: () => {}, warn: console.error } });
  const read = new Promise<void>((resolve) => {
    directory.subscribe(() => {
      mostMb = Math.max(mostMb, privateMb());
      const { activity, readAt } = directory.progress;
      if (readAt !== null && activity !== 'reading') resolve();
    });
  });
  directory.start();
  await read;
  const seconds = ((performance.now() - began) / 1000).toFixed(2);
  const { user, system } = process.cpuUsage();
  const ms = (nanoseconds: number) => (nanoseconds / 1e6).toFixed(1);
  console.log(
    `  ${index.summary.totals.objects} objects after ${seconds} s, ${((user + system) / 1e6).toFixed(1)} s of CPU`,
  );
  console.log(`  private memory: at most ${mostMb} MB, then ${privateMb()} MB`);
  console.log(`  event loop delay: p99 ${ms(delay.percentile(99))} ms, max ${ms(delay.max)} ms`);
  await directory.stop();
  await index.close();
}

/** Resident memory that is not shared with other processes or backed by a file. */
function privateMb(): number {
  const [, kb] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Math.round(Number(kb) / 1000);
}

async function writeCatalogue(folder: ReturnType<typeof temporaryFolder>, count: number): Promise<void> {
  for (let n = 0; n < files; n += 1) folder.write(`files/${n % 100}/${n}.bin`, `object ${n}`);
  const out = createWriteStream(join(folder.path, 'catalogue.ndjson'));
  for (let n = 0; n < buckets; n += 1) out.write(`{"worker":${n},"buckets":["1:${n}"]}\n`);
  for (let n = 1; n <= count; n += 1) {
    const at = n % files;
    const stated = { id: String(n), file: `files/${at % 100}/${at}.bin`, buckets: [`1:${n % buckets}`] };
    const line = JSON.stringify({ ...stated, type: 'video/mp4', size: `object ${at}`.length });
    if (!out.write(`${line}\n`)) await once(out, 'drain');
  }
  await finished(out.end());
}

const [argument = '1000000', measured] = process.argv.slice(2);
if (measured !== undefined) {
  await measure(measured);
} else {
  const folder = temporaryFolder();
  try {
    await writeCatalogue(folder, Number(argument));
    for (const what of ['first import', 'restart']) {
      console.log(`${what}:`);
      const { status } = spawnSync(process.execPath, [import.meta.filename, argument, folder.path], {
        stdio: 'inherit',
      });
      if (status !== 0) process.exitCode = 1;
    }
  } finally {
    folder.remove();
  }
}
