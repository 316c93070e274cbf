// The proof that viewers do not notice: stops, starts, a shutdown and changed settings under load cut no response short.
import { setTimeout as sleep } from 'node:timers/promises';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Crowd, type RequestMetrics } from '../support/crowd.ts';
import { Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { ask, connected, requestFor, restOf } from '../support/viewer.ts';
import type { Finding, Say } from './proof.ts';

export interface DrainOptions {
  /** A run of stops and starts for each of these numbers of workers. */
  readonly workers: readonly number[];
  readonly rounds: number;
  readonly clients: number;
  /** How long hostile clients may hold a drain. */
  readonly hostileSec: number;
  /** What a connection on which nothing happens is left: on a slow day a client may take long to say its first word. */
  readonly idleGraceMs: number;
  /** The ways in which the node is ended. */
  readonly ends: readonly ('shutdown' | 'SIGTERM')[];
  /** Whether the length of a drain is judged: that of a busy machine says nothing. */
  readonly judged: boolean;
}

const asset = (id: number) => `/api/v1/assets/${id}`;
/** Small answers make the most of those who connect for each; large ones are what a careless end cuts short. */
const pathsFor = { 'keep-alive': [1, 2, 3].map(asset), 'one-request': [asset(1)] };
const downloadBytes = 32 * 1024 * 1024;
const objects = { 1: 'x'.repeat(1000), 2: Buffer.alloc(100_000, 1), 3: 1_000_000, 4: downloadBytes };

export async function proveDrain(options: DrainOptions, say: Say): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const workers of options.workers) {
    await using stage = await Stage.set({ workers, idleGraceMs: options.idleGraceMs, drainTimeoutSec: 600 });
    for (const manner of ['keep-alive', 'one-request'] as const) {
      findings.push(...(await stopsAndStarts(stage, { ...options, workers, manner }, say)));
    }
  }
  // Both spend their time waiting, and neither with the other's node.
  say('an end under load; hostile clients');
  const more = await Promise.all([endings(options), inBadCompany(options)]);
  return [...findings, ...more.flat()];
}

async function endings(options: DrainOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const by of options.ends) findings.push(...(await endUnderLoad(by, options)));
  return findings;
}

async function inBadCompany(options: DrainOptions): Promise<Finding[]> {
  await using stage = await Stage.set({ drainTimeoutSec: options.hostileSec });
  return [await droppedBucket(stage), ...(await hostileClients(stage, options))];
}

interface Rounds {
  readonly workers: number;
  readonly rounds: number;
  readonly clients: number;
  readonly manner: 'keep-alive' | 'one-request';
}

async function stopsAndStarts(stage: Stage, how: Rounds, say: Say): Promise<Finding[]> {
  const { workers, rounds, clients, manner } = how;
  const { node } = stage;
  const crowd = await stage.crowd({ paths: pathsFor[manner], clients, manner });
  const stops: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    say(`${manner} clients, workers: ${workers}, round ${round}`);
    const before = (await crowd.requestMetrics()).answers;
    // They are at full speed again when each of them may have been answered.
    await until(async () => (await crowd.requestMetrics()).answers > before + clients);
    const asked = performance.now();
    const stopped = await node.command('stop-api');
    stops.push(performance.now() - asked);
    const started = await node.command('start-api');
    if (stopped.status !== 200 || started.status !== 200) {
      throw new Error(`stop-api ${stopped.status}, start-api ${started.status}`);
    }
  }
  const requestMetrics = await crowd.leave();
  const who = `${clients} ${manner} clients, ${workers} ${workers === 1 ? 'worker' : 'workers'}, ${rounds} rounds`;
  const lost = lossesOf(requestMetrics);
  const finding = { what: `${who}: lost of ${requestMetrics.answers} answers`, figure: lost.words };
  return [
    manner === 'keep-alive'
      ? { ...finding, bar: 'none', holds: lost.count === 0 }
      : { ...finding, bar: 'only before an answer', holds: lost.within === 0 },
    { what: `${who}: longest stop-api`, figure: `${Math.round(Math.max(...stops))} ms`, bar: '', holds: null },
  ];
}

function lossesOf({ lost }: RequestMetrics): { count: number; within: number; words: string } {
  const entries = Object.entries(lost);
  const sum = (list: readonly [string, number][]) => list.reduce((all, [, times]) => all + times, 0);
  const words = entries.map(([how, times]) => `${times} ${how}`).join(', ');
  return {
    count: sum(entries),
    within: sum(entries.filter(([how]) => !/before an answer|^connect/.test(how))),
    words: words || 'none',
  };
}

/** Each of them would hold a connection for ever. */
const hostile: Readonly<Record<string, string>> = {
  'a silent socket': '',
  'half a header': `GET ${asset(1)} HTTP/1.1\r\nHost: te`,
  'a body that never comes': `POST ${asset(1)} HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n`,
  'an upgraded socket': `GET ${asset(4)} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  'a reader of nothing': requestFor(asset(4)),
};

async function hostileClients({ node }: Stage, { hostileSec, judged }: DrainOptions): Promise<Finding[]> {
  const sockets = await Promise.all(Object.values(hostile).map((words) => connected(node.port, words)));
  const dripping = await connected(node.port, requestFor(asset(4)));
  sockets.push(dripping);
  const drip = setInterval(() => dripping.read(1), 1000);
  // So that the node has taken all of them in, it must have answered somebody later.
  await ask(node.port, asset(1));
  const { document } = await node.command('stop-api');
  const began = Date.now();
  const { drain } = document as StateDocument;
  const seen = { connections: drain?.connections ?? 0, bytesLeft: drain?.bytesLeft ?? 0 };
  await until(async () => (await node.state()).drain === null);
  const tookMs = Date.now() - began;
  clearInterval(drip);
  for (const socket of sockets) socket.destroy();
  const shown = seen.connections >= 2 && seen.bytesLeft > 0 && !Number.isNaN(Date.parse(drain?.deadline ?? ''));
  const bar = hostileSec * 1000 + 5000;
  return [
    {
      what: 'state during the drain',
      figure: `${seen.connections} connections, ${seen.bytesLeft} bytes left, deadline ${drain?.deadline}`,
      bar: 'all three',
      holds: shown,
    },
    {
      what: `${sockets.length} hostile clients hold a drain of ${hostileSec} s`,
      figure: `${tookMs} ms`,
      bar: `< ${bar} ms`,
      holds: judged ? tookMs < bar : null,
    },
  ];
}

async function endUnderLoad(by: 'shutdown' | 'SIGTERM', { clients, idleGraceMs }: DrainOptions): Promise<Finding[]> {
  await using stage = await Stage.set({ idleGraceMs, drainTimeoutSec: 600 });
  const { node } = stage;
  const crowd = await stage.crowd({ paths: pathsFor['keep-alive'], clients, manner: 'keep-alive' });
  const downloads = await Promise.all([1, 2, 3].map(() => startedDownload(node)));
  if (by === 'shutdown') await node.command('shutdown');
  else node.signal('SIGTERM');
  const states = await statesUntilTheEnd(node, async ({ drain }) => {
    if (drain !== null && downloads.length > 0) stage.read(downloads.splice(0));
  });
  const bodies = await stage.bodies();
  const { code, signal } = await node.exited;
  const requestMetrics = await crowd.leave();
  const lost = lossesOf(requestMetrics);
  const draining = states.filter(({ drain }) => drain !== null && drain.bytesLeft > 0).length;
  return [
    {
      what: `${by}: lost of ${requestMetrics.answers} answers`,
      figure: lost.words,
      bar: 'none',
      holds: lost.count === 0,
    },
    {
      what: `${by}: slow downloads finished`,
      figure: `${bodies.filter((size) => size > downloadBytes).length} of ${bodies.length}`,
      bar: 'all',
      holds: bodies.every((size) => size > downloadBytes),
    },
    {
      what: `${by}: state answered while draining`,
      figure: `${draining} of ${states.length} times`,
      bar: 'some',
      holds: draining > 0,
    },
    { what: `${by}: exit`, figure: `code ${code}, signal ${signal}`, bar: 'code 0', holds: code === 0 },
  ];
}

/** Every answer to `state` until the node answers no more. */
async function statesUntilTheEnd(node: RealNode, seen: (state: StateDocument) => Promise<void>) {
  const states: StateDocument[] = [];
  for (;;) {
    const state = await node.state().catch(() => null);
    if (state === null) return states;
    if (state.node === 'shuttingDown') states.push(state);
    await seen(state);
    await sleep(20);
  }
}

async function droppedBucket(stage: Stage): Promise<Finding> {
  const { node } = stage;
  const download = await startedDownload(node);
  await node.command('set-buckets', { buckets: ['9:9'] });
  const { status } = await ask(node.port, asset(4));
  await node.command('set-buckets', {});
  stage.read([download]);
  const [size = 0] = await stage.bodies();
  const figure = `421 to others: ${status === 421}; finished: ${size > downloadBytes}`;
  const what = 'a download whose bucket was dropped';
  return { what, figure, bar: 'finishes', holds: status === 421 && size > downloadBytes };
}

async function startedDownload(node: RealNode) {
  const download = await connected(node.port, `GET ${asset(4)} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n`);
  await new Promise((resolve) => download.once('readable', resolve));
  return download;
}

/** A node with what comes and goes with it. */
class Stage implements AsyncDisposable {
  readonly node: RealNode;
  readonly #home: Home;
  readonly #crowds: Crowd[] = [];
  readonly #bodies: Promise<number>[] = [];

  private constructor(home: Home, node: RealNode) {
    this.#home = home;
    this.node = node;
  }

  static async set(publicApi: Readonly<Record<string, unknown>>): Promise<Stage> {
    const home = await Home.make({ objects, publicApi });
    const node = await home.start();
    await until(async () => (await node.state()).workers.every(({ state }) => state === 'serving'));
    return new Stage(home, node);
  }

  /** Resolves when the first of them has been answered. */
  async crowd(options: Omit<ConstructorParameters<typeof Crowd>[0], 'port'>): Promise<Crowd> {
    const crowd = new Crowd({ port: this.node.port, ...options });
    this.#crowds.push(crowd);
    await crowd.arrived();
    return crowd;
  }

  /** Downloads that were held up go on now. */
  read(downloads: Parameters<typeof restOf>[0][]): void {
    this.#bodies.push(...downloads.map(async (download) => (await restOf(download)).length));
  }

  /** Bytes of each download, head included, when all have ended. */
  bodies(): Promise<number[]> {
    return Promise.all(this.#bodies);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const crowd of this.#crowds) crowd.end();
    await this.node.end();
    await this.#home.remove();
  }
}
