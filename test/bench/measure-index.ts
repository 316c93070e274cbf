// Measures the index on disk: `node dist/test/bench/measure-index.js [OBJECTS]`. CPU times, since other work may share the machine.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openIndexReader, openIndexWriter } from '../../src/store/lmdb-index.ts';
import { coverageChange } from '../../src/store/settings-preview.ts';

const objectsPerBag = 200;
const objectsPerStep = 5000;
const lookUps = 100_000;
const lookUpsPerTurn = 10;
const memoryMb = (): Readonly<Record<string, number>> => {
  const rollup = readFileSync('/proc/self/smaps_rollup', 'utf8');
  const kb = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1] ?? 0);
  return {
    // Clean pages of the file count as private while a single process maps them; they are the kernel's to drop.
    privateDirtyMb: Math.round(kb('Private_Dirty') / 1024),
    pssMb: Math.round(kb('Pss') / 1024),
  };
};

/** @returns CPU and wall milliseconds */
function measured(run: () => void): { readonly cpuMs: number; readonly wallMs: number } {
  const cpu = process.cpuUsage();
  const began = performance.now();
  run();
  const wallMs = Math.round((performance.now() - began) * 10) / 10;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: Math.round((user + system) / 100) / 10, wallMs };
}

function write(folder: string, objects: number): void {
  const index = openIndexWriter(folder, { source: { kind: 'squid', name: 'http://squid' }, maxBytes: 2 ** 33 });
  const version = index.newVersion();
  const time = measured(() => {
    for (let first = 0; first < objects; first += objectsPerStep) {
      version.transact((tx) => {
        for (let id = first; id < Math.min(first + objectsPerStep, objects); id += 1) {
          const bag = `dynamic:channel:${Math.floor(id / objectsPerBag)}`;
          if (id % objectsPerBag === 0) {
            tx.putBag(bag, {
              distributionBuckets: [`1:${id % 7}`, `2:${id % 5}`],
              storageBuckets: ['3', '17'],
              pass: 1,
            });
          }
          const hash = `zW1${String(id).padStart(43, 'x')}`;
          tx.putObject(String(id), {
            bag,
            size: id * 10,
            type: 'video/mp4',
            hash,
            accepted: true,
            file: null,
            url: null,
          });
        }
      });
    }
    version.publish((tx) => {
      for (let one = 0; one < 7; one += 1) tx.putBucket(`1:${one}`, { workers: [one], distributing: true });
    });
  });
  const { size } = statSync(join(folder, 'data.mdb'));
  console.log('written', {
    objects,
    ...time,
    diskMb: Math.round(size / 2 ** 20),
    bytesPerObject: Math.round(size / objects),
  });
  console.log('memory of the writer', memoryMb());
}

async function read(folder: string, objects: number): Promise<void> {
  console.log('memory of a process before it opens the index', memoryMb());
  let index = openIndexReader(folder);
  void index.close();
  const opening = measured(() => {
    index = openIndexReader(folder);
    index.object('1');
  });
  console.log('opened', opening);
  let state = 1;
  const lookUp = () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    index.refresh();
    const row = index.object(String(state % objects));
    if (row === undefined || index.bag(row.bag) === undefined) throw new Error('not found');
  };
  for (const round of [1, 2]) {
    const cpu = process.cpuUsage();
    for (let one = 0; one < lookUps; one += 1) {
      lookUp();
      if (one % lookUpsPerTurn === 0) await new Promise(setImmediate);
    }
    const { user, system } = process.cpuUsage(cpu);
    console.log(`looked up ${lookUps} objects with their bags, round ${round}`, { cpuUs: (user + system) / lookUps });
  }
  console.log('memory of the reader', memoryMb());
  for (let round = 0; round < 3; round += 1) {
    const dry = measured(() => {
      coverageChange(index, { workerId: 1, buckets: null }, { workerId: 2, buckets: null }, 100);
    });
    console.log('dry run', dry);
  }
}

const [objects = '1000000', readsIn] = process.argv.slice(2);
if (readsIn !== undefined) {
  await read(readsIn, Number(objects));
  process.exit();
}
const folder = mkdtempSync(join(tmpdir(), 'index-'));
write(folder, Number(objects));
await once(fork(fileURLToPath(import.meta.url), [objects, folder]), 'exit');
rmSync(folder, { recursive: true });
process.exit();
