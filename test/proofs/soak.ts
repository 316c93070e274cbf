// The proof that nothing piles up: after minutes of load, commands and kills a node holds what it held at the beginning.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Crowd } from '../support/crowd.ts';
import { Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { connected, requestFor } from '../support/viewer.ts';
import type { Finding, Say } from './proof.ts';

export interface SoakOptions {
  /** Load and rest take turns this often; the first turn is the measure of the others. */
  readonly turns: number;
  /** How long a turn's load lasts. */
  readonly turnSec: number;
  readonly clients: number;
  /** Whether memory is judged; that of a short run says nothing. */
  readonly judged: boolean;
}

const workers = 2;
const asset = (id: number) => `/api/v1/assets/${id}`;
const objects = { 1: 'x'.repeat(1000), 2: Buffer.alloc(100_000, 1), 3: 5_000_000 };

export async function proveSoak(options: SoakOptions, say: Say): Promise<Finding[]> {
  const home = await Home.make({ objects, publicApi: { workers, drainTimeoutSec: 2, workerTimeoutMs: 5000 } });
  const node = await home.start();
  try {
    await settled(node);
    const done = { commands: 0, kills: 0, answers: 0 };
    const samples: Sample[] = [];
    for (let turn = 1; turn <= options.turns; turn += 1) {
      say(
        `turn ${turn} of ${options.turns}: ${done.commands} commands, ${done.kills} kills, ${done.answers} answers so far`,
      );
      await load(node, options, done);
      say(`turn ${turn} of ${options.turns}: at rest`);
      samples.push(await settled(node, samples[0]));
    }
    const { code } = await ended(node);
    return [
      ...compared(samples, options),
      ...Object.entries(done).map(([what, times]) => measured(what, `${times}`)),
      exitOf(code),
    ];
  } finally {
    await node.end();
    await home.remove();
  }
}

const measured = (what: string, figure: string): Finding => ({ what, figure, bar: '', holds: null });
const exitOf = (code: number | null): Finding => ({
  what: 'exit',
  figure: `code ${code}`,
  bar: 'code 0',
  holds: code === 0,
});

async function ended(node: RealNode) {
  await node.command('shutdown');
  return node.exited;
}

async function load(node: RealNode, { turnSec, clients }: SoakOptions, done: Record<string, number>): Promise<void> {
  const { port } = node;
  const paths = [1, 1, 2, 3].map(asset);
  const crowds = [
    new Crowd({ port, paths, clients, manner: 'keep-alive' }),
    new Crowd({ port, paths, clients: Math.ceil(clients / 4), manner: 'one-request' }),
  ];
  const end = Date.now() + turnSec * 1000;
  try {
    await Promise.all(crowds.map((crowd) => crowd.arrived()));
    await Promise.all([orders(node, end, done), pests(node, end), killer(node, end, turnSec, done)]);
    await node.command('start-api');
    for (const crowd of crowds) done.answers = (done.answers ?? 0) + (await crowd.leave()).answers;
  } finally {
    for (const crowd of crowds) crowd.end();
  }
}

/** An operator who cannot make up his mind. */
async function orders(node: RealNode, end: number, done: Record<string, number>): Promise<void> {
  const some = [
    () => node.command('stop-api'),
    () => node.command('start-api'),
    () => node.command('start-api'),
    () => node.command('set-buckets', { buckets: ['1:0', `${Date.now() % 7}:7`] }),
    () => node.command('set-worker', { workerId: 0 }),
    () => node.command('set-buckets', { buckets: 'none' }),
  ];
  for (let turn = 0; Date.now() < end; turn += 1) {
    const { status } = (await some[turn % some.length]?.()) ?? { status: 0 };
    if (![200, 400, 409].includes(status)) throw new Error(`A command was answered with ${status}`);
    done.commands = (done.commands ?? 0) + 1;
    await sleep(50);
  }
}

/** Clients that connect, send bad requests or none, and disconnect. */
async function pests(node: RealNode, end: number): Promise<void> {
  const words = [
    '',
    'GET / HTT',
    requestFor(asset(3)),
    'nonsense\r\n\r\n',
    `POST ${asset(1)} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n`,
  ];
  while (Date.now() < end) {
    const sockets = await Promise.all(words.map((word) => connected(node.port, word).catch(() => null)));
    await sleep(100);
    for (const socket of sockets) socket?.destroy();
  }
}

/** The youngest worker dies or hangs now and then; the oldest is left alone, so that what piles up in it shows. */
async function killer(node: RealNode, end: number, turnSec: number, done: Record<string, number>): Promise<void> {
  const pauseMs = Math.min(2000, turnSec * 300);
  for (let turn = 0; ; turn += 1) {
    await sleep(Math.min(pauseMs, Math.max(0, end - Date.now())));
    const pids = await node.workerPids();
    if (Date.now() >= end) return;
    if (pids.length < workers) continue;
    process.kill(pids.at(-1) ?? 0, turn % 3 === 2 ? 'SIGSTOP' : 'SIGKILL');
    done.kills = (done.kills ?? 0) + 1;
  }
}

/**
 * All workers serve, no drain is left, and the counts have returned to those of the first turn, or stand still where this
 * is the first. Counts that do not return in time are those that are compared in the end.
 */
async function settled(node: RealNode, first?: Sample): Promise<Sample> {
  await until(async () => {
    const { workers: all, drain } = await node.state();
    return drain === null && all.length === workers && all.every(({ state }) => state === 'serving');
  });
  let sample = await sampleOf(node);
  const counts = ({ control, worker, processes }: Sample) => [control.files.length, worker.files.length, processes];
  const isSettled = async (): Promise<boolean> => {
    await sleep(300);
    const before = counts(sample);
    sample = await sampleOf(node);
    return counts(sample).every((count, at) =>
      first === undefined ? count === before[at] : count <= (counts(first)[at] ?? 0),
    );
  };
  await until(isSettled).catch((error: Error) => {
    if (!error.message.startsWith('Gave up')) throw error;
  });
  return sample;
}

interface Holding {
  /** What its open files are, without the numbers in their names. */
  readonly files: readonly string[];
  readonly memoryMb: number;
}

interface Sample {
  readonly control: Holding;
  /** The oldest. */
  readonly worker: Holding;
  /** Children of the control process. */
  readonly processes: number;
}

async function sampleOf(node: RealNode): Promise<Sample> {
  const [oldest = 0] = await node.workerPids();
  const children = await readFile(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8');
  const [control, worker] = await Promise.all([holdingOf(node.pid), holdingOf(oldest)]);
  // Our own connections to the operator API come and go.
  const own = await connectionsAt(Number(new URL(node.operatorUrl).port));
  const sockets = control.files.filter((file) => file === 'socket').slice(own);
  const files = [...control.files.filter((file) => file !== 'socket'), ...sockets];
  return { control: { ...control, files }, worker, processes: children.trim().split(/\s+/).length };
}

/** Established connections that a local port has accepted. */
async function connectionsAt(port: number): Promise<number> {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((row) => row.trim().split(/\s+/));
  return rows.filter(([, at = '', , state]) => at.endsWith(local) && state === '01').length;
}

async function holdingOf(pid: number): Promise<Holding> {
  const [, pages = '0'] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
  const open = await readdir(`/proc/${pid}/fd`);
  // One that has been closed since then has no name any more.
  const names = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => null)));
  const files = names.filter((name) => name !== null).map((name) => name.replace(/:\[\d+\]$/, ''));
  return { files, memoryMb: (Number(pages) * 4096) / 1024 / 1024 };
}

/** Those that are more in the second list, as words. */
function added(before: readonly string[], after: readonly string[]): string {
  const left = [...before];
  const more = after.filter((file) => {
    const at = left.indexOf(file);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return more.length === 0 ? '' : ` (more: ${more.join(', ')})`;
}

/** The first turn has warmed the node up: from then on it should hold as much after every turn. */
function compared(samples: readonly Sample[], { judged }: SoakOptions): Finding[] {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) throw new Error('At least one turn is needed');
  const same = (what: string, of: (sample: Sample) => number): Finding => {
    const [a, b] = [of(first), of(last)];
    return { what, figure: `${a} → ${b}`, bar: 'no more', holds: b <= a };
  };
  const files = (whose: string, of: (sample: Sample) => readonly string[]): Finding => {
    const finding = same(`open files of the ${whose}`, (sample) => of(sample).length);
    return { ...finding, figure: finding.figure + (finding.holds ? '' : added(of(first), of(last))) };
  };
  const memory = (what: string, of: (sample: Sample) => number): Finding => {
    const [a, b] = [of(first), of(last)];
    const most = a * 1.3 + 16;
    const figure = `${a.toFixed(0)} → ${b.toFixed(0)} MiB (each turn: ${samples.map((one) => of(one).toFixed(0)).join(' ')})`;
    return { what, figure, bar: `≤ ${most.toFixed(0)} MiB`, holds: judged ? b <= most : null };
  };
  return [
    files('control process', ({ control }) => control.files),
    files('oldest worker', ({ worker }) => worker.files),
    same('processes', ({ processes }) => processes),
    memory('memory of the control process', ({ control }) => control.memoryMb),
    memory('memory of the oldest worker', ({ worker }) => worker.memoryMb),
  ];
}
