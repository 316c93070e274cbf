// Measures syncs from the real query engine into the index on disk, and look-ups: time, queries, bytes, memory.
// Run: npm run bench:squid [-- objects bags]
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openSquid } from '../../src/directory/squid/squid.ts';
import { squidAt } from '../../src/directory/squid/squid-request.ts';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import { squidSetup } from '../support/squid-rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { releases, startRealSquid } from './real-squid.ts';

const [objects = 200_000, bags = 5000] = process.argv.slice(2).map(Number);
/** All of them belong to worker 0, so that a sync reads everything. */
const network = { bags, objects, buckets: 30, workers: 1 };

/** Counts what is asked and answered; bytes as they arrive. */
const traffic = { queries: 0, bytes: 0 };
const plainFetch = globalThis.fetch;
globalThis.fetch = async (...request) => {
  traffic.queries += 1;
  const response = await plainFetch(...request);
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform: (part, controller) => {
      traffic.bytes += part.length;
      controller.enqueue(part);
    },
  });
  return new Response(response.body?.pipeThrough(counter) ?? null, response);
};

/** Resident memory that is not shared with other processes or backed by a file. */
function privateMb(): number {
  const [, kb] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Math.round(Number(kb) / 1000);
}

async function measure(what: string, run: () => Promise<unknown>): Promise<void> {
  const before = { ...traffic };
  const { user } = process.cpuUsage();
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  await run();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  delay.disable();
  const megabytes = ((traffic.bytes - before.bytes) / 1e6).toFixed(1);
  const cpu = ((process.cpuUsage().user - user) / 1e6).toFixed(1);
  const longest = (delay.max / 1e6).toFixed(0);
  console.log(
    `  ${what}: ${seconds} s, ${traffic.queries - before.queries} queries, ${megabytes} MB, ${cpu} s of CPU, event loop at most ${longest} ms, ${privateMb()} MB private`,
  );
}

async function measureSync(url: string, raiseHeight: () => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const state = join(folder.path, 'index');
  mkdirSync(state);
  const index = openIndexWriter(state, { source: { kind: 'squid', name: url }, maxBytes: 2 ** 33 });
  const log = { info: () => {}, warn: console.error };

  async function sync(pauseMs: number): Promise<void> {
    const directory = openSquid(squidSetup(url, { pageBags: 100, pauseMs }), { index, log });
    directory.configure({ workerId: 0, buckets: null });
    let hasBegun = false;
    const end = new Promise<void>((resolve) => {
      directory.subscribe(() => {
        const { activity } = directory.progress;
        if (activity === 'reading') hasBegun = true;
        else if (hasBegun) resolve();
      });
    });
    directory.start();
    await end;
    await directory.stop();
  }

  await measure('first sync, no pauses', () => sync(0));
  console.log(`  ${index.summary.totals.objects} objects in ${index.summary.totals.bags} bags`);
  await raiseHeight();
  await measure('next sync, nothing changed, no pauses', () => sync(0));
  await raiseHeight();
  await measure('next sync, nothing changed, pauses of 200 ms', () => sync(200));
  await index.close();
  folder.remove();
}

/** Of objects that the index does not have. */
async function measureLookUps(url: string): Promise<void> {
  const folder = temporaryFolder();
  const state = join(folder.path, 'index');
  mkdirSync(state);
  const index = openIndexWriter(state, { source: { kind: 'squid', name: url }, maxBytes: 2 ** 33 });
  const directory = openSquid(squidSetup(url, { cacheMs: 0, lookUpPauseMs: 0 }), {
    index,
    log: { info: () => {}, warn: console.error },
  });
  directory.configure({ workerId: null, buckets: null });
  directory.start();
  const singles: number[] = [];
  for (let n = 0; n < 200; n += 1) {
    const began = performance.now();
    const { result } = await directory.lookUp(String(1 + ((n * 7919) % objects)));
    if (result !== 'found') throw new Error(`The object is ${result}`);
    singles.push(performance.now() - began);
  }
  singles.sort((a, b) => a - b);
  const part = (share: number) => singles[Math.floor(share * (singles.length - 1))]?.toFixed(1);
  console.log(`  look-ups one after another: p50 ${part(0.5)} ms, p99 ${part(0.99)} ms`);
  await measure('1,000 look-ups at once', () =>
    Promise.all(Array.from({ length: 1000 }, (_, n) => directory.lookUp(String(1 + n)))),
  );
  await directory.stop();
  await index.close();
  folder.remove();
}

const squid = await startRealSquid();
try {
  console.log(`${objects} objects in ${bags} bags:`);
  await squid.fill(network);
  for (const release of releases) {
    const url = await squid.serve(release);
    console.log(release);
    const signal = new AbortController().signal;
    // The engine builds its schema at the first query.
    await squidAt(url).ask({
      query: '{ squidStatus { height } }',
      variables: {},
      timeoutMs: 20_000,
      maxBytes: 1000,
      signal,
    });
    await measureSync(url, () => squid.sql('update squid_processor.status set height = height + 1'));
    await measureLookUps(url);
  }
} finally {
  await squid.stop();
}
