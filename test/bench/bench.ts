// The benchmark of the public API: rate and latency side by side with nginx, or an earlier commit, in one run.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { Home } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { buildOf } from './earlier.ts';
import { startNginx } from './nginx.ts';
import { type Measured, measure } from './wrk.ts';

interface Options {
  readonly against?: string;
  readonly seconds: number;
  readonly connections: number;
  readonly rounds: number;
  readonly workers: number;
}

interface Asked {
  readonly what: string;
  readonly id: number;
  readonly header?: string;
}

const asked: readonly Asked[] = [
  { what: '1 KB', id: 1 },
  { what: '100 KB', id: 2 },
  { what: '10 MB', id: 3 },
  { what: '64 KB of 10 MB', id: 3, header: 'Range: bytes=1000000-1065535' },
];
const objects = { 1: Buffer.alloc(1000, 1), 2: Buffer.alloc(100_000, 1), 3: Buffer.alloc(10_000_000, 1) };

await new Command('bench')
  .description('Rate and latency of the public API beside those of nginx on the same files, in turns.')
  .option('--against <ref>', 'measure this commit of our own as well')
  .option('--seconds <n>', 'of each measurement', Number, 5)
  .option('--connections <n>', 'at once', Number, 64)
  .option('--rounds <n>', 'turns that each server gets', Number, 2)
  .option('--workers <n>', 'processes of each server', Number, availableParallelism())
  .action(bench)
  .parseAsync();

async function bench(options: Options): Promise<void> {
  const missing = [['nginx', '-v'] as const, ['wrk', '-v'] as const].filter(
    ([name, arg]) => spawnSync(name, [arg]).error,
  );
  if (missing.length > 0) {
    console.error(`Not here: ${missing.map(([name]) => name).join(', ')}. On Debian: apt-get install nginx-light wrk`);
    process.exitCode = 1;
    return;
  }
  const { workers, against } = options;
  // Left to the node's own default: an earlier commit may not know the key.
  const home = await Home.make({ objects, publicApi: { workers, niceness: undefined } });
  const earlier = against === undefined ? undefined : await buildOf(against);
  // One server at a time: the one that waits is not to cost the other anything.
  const servers: [string, () => Promise<{ readonly port: number; end(): Promise<void> }>][] = [
    ['this', () => startNode(home)],
    ['nginx', () => startNginx(home.path, workers)],
    ...(earlier
      ? ([[String(against), () => startNode(home, earlier.cli)]] as [string, () => ReturnType<typeof startNode>][])
      : []),
  ];
  const results = new Map<string, Measured[]>();
  try {
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const [name, start] of servers) {
        const server = await start();
        // Warm up: compiled code and caches are in place before the measurement.
        await measure({ url: `http://127.0.0.1:${server.port}/api/v1/assets/1`, ...options, seconds: 2 });
        for (const one of asked) {
          process.stderr.write(`round ${round} of ${options.rounds}: ${name}, ${one.what}\n`);
          const url = `http://127.0.0.1:${server.port}/api/v1/assets/${one.id}`;
          const measured = await measure({ url, ...options, ...(one.header ? { header: one.header } : {}) });
          const key = `${name} ${one.what}`;
          results.set(key, [...(results.get(key) ?? []), measured]);
        }
        await server.end();
      }
    }
  } finally {
    await earlier?.[Symbol.asyncDispose]();
    await home.remove();
  }
  print(
    servers.map(([name]) => name),
    results,
  );
}

async function startNode(home: Home, cli?: string) {
  const node = await home.start(cli === undefined ? {} : { cli });
  await until(async () => (await node.state()).workers.every(({ state }) => state === 'serving'));
  return node;
}

function print(names: readonly string[], results: ReadonlyMap<string, readonly Measured[]>): void {
  const columns = ['object', 'server', 'answers/s', 'MB/s', 'p50 ms', 'p99 ms', 'errors', 'beside it'];
  const rows = [columns];
  for (const { what } of asked) {
    const best = (name: string) =>
      (results.get(`${name} ${what}`) ?? []).reduce((a, b) => (b.requests > a.requests ? b : a));
    const own = best('this').requests;
    for (const name of names) {
      const { requests, megabytes, p50Ms, p99Ms, errors } = best(name);
      const columns = [requests.toFixed(0), megabytes.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), `${errors}`];
      rows.push([what, name, ...columns, name === 'this' ? '' : `this has ${((100 * own) / requests).toFixed(0)} %`]);
    }
  }
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}
