// The cost of a node by the number of its objects: start-up, memory of every process, CPU per request, operator latency.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { createClient } from '../../src/client/http-client.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import { freePort } from '../support/free-port.ts';
import { accessToken, Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';

interface Options {
  readonly objects: readonly number[];
  readonly requests: number;
  readonly workers: number;
  readonly hashWait: number;
}

interface Row {
  readonly objects: number;
  readonly firstAnswerSec: number;
  readonly importSec: number;
  readonly importPeakMb: number;
  readonly restartSec: number;
  readonly controlMb: number;
  readonly contentMb: number;
  readonly serverMb: number;
  readonly cpuUsPerRequest: number;
  readonly operatorIdleP99Ms: number;
  readonly operatorImportP99Ms: number;
}

/** Objects share so many files: what is measured is the index, not the creation of files. */
const files = 1000;
const buckets = 5000;
const warmUpCalls = 100;
const day = 24 * 3600 * 1000;

async function measure(objects: number, { requests, workers, hashWait }: Options): Promise<Row> {
  const say = (text: string) => process.stderr.write(`${objects} objects: ${text}\n`);
  // Known before the node is up: it is asked during the import.
  const operatorPort = await freePort();
  const home = await Home.make({
    publicApi: { workers },
    operatorApi: { port: operatorPort },
    more: { catalogue: './catalogue.ndjson', limits: { readCatalogueMs: day } },
  });
  try {
    say('writing the catalogue');
    await writeCatalogue(home.path, objects);
    const lastId = String(objects);
    say('first start');
    const first = await startedNode(home, operatorPort, lastId);
    const { node } = first;
    const duringImport = first.latencies;
    await until(async () => (await node.state()).directory?.activity === 'idle', { limitMs: hashWait * 1000 }).catch(
      () => say(`not all files were hashed within ${hashWait} s`),
    );
    say('operator latency');
    const idle = await latenciesOf(node, 500);
    say('requests');
    const cpuUsPerRequest = await cpuPerRequest(node, objects, requests);
    const memory = await memoryOf(node);
    await node.command('shutdown');
    await node.exited;
    say('restart');
    const second = await startedNode(home, operatorPort, lastId);
    await second.node.command('shutdown');
    await second.node.exited;
    return {
      objects,
      firstAnswerSec: first.answeredSec,
      importSec: first.importSec,
      importPeakMb: first.peakMb,
      restartSec: second.answeredSec,
      ...memory,
      cpuUsPerRequest,
      operatorIdleP99Ms: percentile(idle, 99),
      operatorImportP99Ms: percentile(duringImport, 99),
    };
  } finally {
    await home.remove();
  }
}

async function writeCatalogue(folder: string, objects: number): Promise<void> {
  await mkdir(join(folder, 'files'));
  for (let n = 0; n < files; n += 1)
    await writeFile(join(folder, 'files', `${n}`), Buffer.alloc(1000, `content ${n}. `));
  const out = createWriteStream(join(folder, 'catalogue.ndjson'));
  const used = Math.min(buckets, objects);
  // Objects of a bag follow each other, as those of a folder do.
  const bucketOf = (n: number) => `1:${Math.floor((n * used) / objects)}`;
  const all = Array.from({ length: used }, (_, n) => `1:${n}`);
  out.write(`${JSON.stringify({ worker: 0, buckets: all })}\n`);
  for (let n = 1; n <= objects; n += 1) {
    const line = {
      id: String(n),
      file: `files/${n % files}`,
      buckets: [bucketOf(n - 1)],
      type: 'application/octet-stream',
    };
    if (!out.write(`${JSON.stringify(line)}\n`)) await once(out, 'drain');
  }
  out.end();
  await finished(out);
}

/** From the launch to the first answer with the object's bytes; operator calls and the content process's memory until then. */
async function startedNode(home: Home, operatorPort: number, id: string) {
  const beganAt = performance.now();
  const sinceSec = () => (performance.now() - beganAt) / 1000;
  const node = home.launch();
  const latencies: number[] = [];
  let peakMb = 0;
  let answeredSec = 0;
  let importSec = 0;
  const answering = (async () => {
    while (!(await isServed(node.port, id))) await sleep(20);
    answeredSec = sinceSec();
  })();
  const url = `http://127.0.0.1:${operatorPort}`;
  const client = createClient({ url, token: await accessToken(), timeoutMs: 60_000 });
  await until(async () => (await fetch(`${url}/livez`).catch(() => null))?.ok === true);
  for (let call = 0; ; call += 1) {
    const asked = performance.now();
    const state = (await client.state()).document as StateDocument;
    // The first ones are answered by code that is being compiled.
    if (call >= warmUpCalls) latencies.push(performance.now() - asked);
    const { pid = null, readAt = null } = state.directory ?? {};
    // Reading it stops the process for a moment.
    if (pid !== null && call % 50 === 0) peakMb = Math.max(peakMb, await privateMb(pid));
    if (readAt !== null && importSec === 0) importSec = sinceSec();
    if (importSec > 0 && answeredSec > 0) break;
    await sleep(20);
  }
  await answering;
  return { node, latencies, peakMb, answeredSec, importSec };
}

const isServed = (port: number, id: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: `/api/v1/assets/${id}`, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('error', () => resolve(false));
  });

async function latenciesOf(node: RealNode, count: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const asked = performance.now();
    await node.state();
    latencies.push(performance.now() - asked);
    await sleep(20);
  }
  return latencies;
}

/** Microseconds of CPU in all server processes, for random objects over connections that are kept. */
async function cpuPerRequest(node: RealNode, objects: number, requests: number): Promise<number> {
  const pids = (await node.state()).workers.map(({ pid }) => pid);
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ask = (n: number) =>
    new Promise<void>((resolve, reject) => {
      const path = `/api/v1/assets/${1 + ((n * 7919) % objects)}`;
      get({ port: node.port, host: '127.0.0.1', path, agent }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`${path} was answered with ${response.statusCode}`));
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  const run = async (count: number) => {
    let next = 0;
    const client = async () => {
      while (next < count) {
        next += 1;
        await ask(next);
      }
    };
    await Promise.all(Array.from({ length: 32 }, client));
  };
  // What is compiled and cached on the way is there before anything is measured.
  await run(requests / 2);
  const before = await cpuUs(pids);
  await run(requests);
  const after = await cpuUs(pids);
  agent.destroy();
  return (after - before) / requests;
}

/** User and system time, in clock ticks of 10 ms (proc_pid_stat(5)). */
async function cpuUs(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10_000;
}

async function memoryOf(node: RealNode): Promise<Pick<Row, 'controlMb' | 'contentMb' | 'serverMb'>> {
  const { workers, directory }: StateDocument = await node.state();
  const servers = await Promise.all(workers.map(({ pid }) => privateMb(pid)));
  return {
    controlMb: await privateMb(node.pid),
    contentMb: directory?.pid ? await privateMb(directory.pid) : 0,
    serverMb: Math.max(...servers),
  };
}

/** Memory that no other process shares: pages of the index, which the kernel can drop at any time, do not count. */
async function privateMb(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps`, 'utf8').catch(() => '');
  let kilobytes = 0;
  let isIndex = false;
  for (const line of text.split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isIndex = line.endsWith('.mdb');
    else if (!isIndex && /^Private_(?:Clean|Dirty):/.test(line)) kilobytes += Number(/\d+/.exec(line)?.[0]);
  }
  return kilobytes / 1024;
}

const percentile = (values: readonly number[], percent: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor((values.length * percent) / 100)] ?? 0;

function print(rows: readonly Row[]): void {
  const columns: [string, (row: Row) => number, number][] = [
    ['objects', (row) => row.objects, 0],
    ['first answer s', (row) => row.firstAnswerSec, 2],
    ['import s', (row) => row.importSec, 2],
    ['content peak MB', (row) => row.importPeakMb, 0],
    ['restart s', (row) => row.restartSec, 2],
    ['control MB', (row) => row.controlMb, 0],
    ['content MB', (row) => row.contentMb, 0],
    ['server MB', (row) => row.serverMb, 0],
    ['CPU µs/request', (row) => row.cpuUsPerRequest, 1],
    ['operator p99 ms idle', (row) => row.operatorIdleP99Ms, 1],
    ['during import', (row) => row.operatorImportP99Ms, 1],
  ];
  console.log(`| ${columns.map(([name]) => name).join(' | ')} |`);
  console.log(`| ${columns.map(() => '---').join(' | ')} |`);
  for (const row of rows) {
    console.log(`| ${columns.map(([, value, digits]) => value(row).toFixed(digits)).join(' | ')} |`);
  }
  const [least, most] = [rows[0], rows.at(-1)];
  if (least === undefined || most === undefined || least === most) return;
  const ratio = (value: (row: Row) => number) => (value(most) / value(least)).toFixed(2);
  console.log(
    `\n${most.objects} objects beside ${least.objects}: restart ×${ratio((row) => row.restartSec)}, ` +
      `control ×${ratio((row) => row.controlMb)}, content ×${ratio((row) => row.contentMb)}, ` +
      `server ×${ratio((row) => row.serverMb)}, CPU per request ×${ratio((row) => row.cpuUsPerRequest)}`,
  );
}

await new Command('scale')
  .description('What a node costs with few and with many objects, in one run.')
  .option('--objects <list>', 'numbers of objects', (text) => text.split(',').map(Number), [1000, 100_000, 1_000_000])
  .option('--requests <n>', 'requests of the CPU measurement', Number, 20_000)
  .option('--workers <n>', 'server processes', Number, 2)
  .option('--hash-wait <s>', 'longest wait for the hashes of all files', Number, 900)
  .action(async (options: Options) => {
    const rows: Row[] = [];
    for (const objects of options.objects) rows.push(await measure(objects, options));
    print(rows);
  })
  .parseAsync();
