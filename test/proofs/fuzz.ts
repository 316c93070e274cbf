// The proof that nothing thrown at either port breaks the node, makes it talk, or makes it grow.
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Home, type RealNode, secret } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { Dice } from './dice.ts';
import { type Attack, type Heard, noise, pipelined, send } from './fuzz-http.ts';
import { canary, operatorAttack } from './fuzz-operator.ts';
import { publicAttack } from './fuzz-public.ts';
import { proveWaits, type WaitsOptions } from './fuzz-waits.ts';
import type { Finding, Say } from './proof.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** How many are under way at once. */
  readonly clients: number;
  /** Whether memory and waits are judged: a short run has no steady state. */
  readonly judged: boolean;
  readonly waits: Pick<WaitsOptions, 'parts' | 'trials'>;
}

const id = 'test-node';
const maxBodyBytes = 4096;
/** The defaults, as the waits of other operators are promised for. */
const limits = { maxHeaderBytes: 524_288, maxBodyBytes: 1_048_576 };
/** What no answer and no line may hold: the secret, a token whole or in part, a place in our code. */
const leaks: readonly RegExp[] = [
  new RegExp(secret),
  new RegExp(canary),
  /eyJ[\w-]{8,}\.[\w-]{8,}/,
  /\bat (?:\w|\/|async )[^\n"]*:\d+:\d+/,
  /node:internal/,
];

export async function proveFuzz(options: FuzzOptions, say: Say): Promise<Finding[]> {
  const home = await Home.make({
    objects: { 1: 'x'.repeat(1000), 2: 100_000 },
    publicApi: { workers: 2 },
    operatorApi: { maxBodyBytes },
    more: { logs: { console: { level: 'debug' } }, auditLog: { intervalSec: 1 } },
  });
  let node: RealNode | null = null;
  try {
    // What is not needed any more is let go at once: then what grows is a leak.
    node = await home.start({ nodeOptions: '--max-old-space-size=64 --max-semi-space-size=4' });
    return [...(await fuzz(home, node, options, say)), ...(await grow(options, say))];
  } finally {
    await node?.end();
    await home.remove();
  }
}

/** On a node of its own, with room for everything that the limits allow. */
async function grow({ waits, judged }: FuzzOptions, say: Say): Promise<Finding[]> {
  const home = await Home.make({ objects: { 1: 'one' }, operatorApi: limits });
  let node: RealNode | null = null;
  try {
    node = await home.start();
    return await proveWaits(node, { limits, judged, ...waits }, say);
  } finally {
    await node?.end();
    await home.remove();
  }
}

async function fuzz(home: Home, node: RealNode, options: FuzzOptions, say: Say): Promise<Finding[]> {
  await until(async () => (await node.state()).workers.every(({ state }) => state === 'serving'));
  const pidsBefore = await node.workerPids();
  const run = new Run(node, options);
  const warmUp = Math.ceil(options.requests / 3);
  await run.until(warmUp, say);
  const before = memoryOf([node.pid, ...pidsBefore]);
  await run.until(options.requests, say);
  const after = memoryOf([node.pid, ...pidsBefore]);

  const { workers, lastCrash, node: phase, publicApi } = await node.state();
  const samePids = String(workers.map(({ pid }) => pid)) === String(pidsBefore);
  const lines = [node.log, await auditOf(home)].flatMap((text) => text.split('\n'));
  const leaking = lines.filter((line) => leaks.some((leak) => leak.test(line)));
  const errors = lines.filter((line) => /^\{"level":[56]0/.test(line));
  const grown = Math.max(...after.map((bytes, at) => bytes / (before[at] ?? bytes)));
  const held = (what: string, found: readonly string[], bar: string): Finding => ({
    what,
    figure:
      found.length === 0
        ? '0'
        : `${found.length}, e.g. ${found
            .slice(0, 3)
            .map((one) => one.slice(0, 400))
            .join(' | ')}`,
    bar,
    holds: found.length === 0,
  });
  return [
    { what: 'requests', figure: `${run.sent} (seed ${options.seed})`, bar: '', holds: null },
    { what: 'answers', figure: run.answersByStatus, bar: '', holds: null },
    { what: 'closed without an answer', figure: `${run.unanswered}`, bar: '', holds: null },
    held('statuses the contract does not allow', run.wrong, 'none'),
    held('answers with a secret, token or stack', run.leaking, 'none'),
    held('requests smuggled within others', run.smuggled, 'none'),
    held('log and audit lines with a secret, token or stack', leaking, 'none'),
    held('errors in the log', errors, 'none'),
    {
      what: 'processes',
      figure: `${samePids ? 'the same' : 'others'}, ${phase}, public API ${publicApi}`,
      bar: 'the same, running',
      holds: samePids && lastCrash === null && phase === 'running' && publicApi === 'running',
    },
    {
      what: 'memory after the first third, and at the end',
      figure: `${before.map(inMiB).join(' + ')} MiB, ${after.map(inMiB).join(' + ')} MiB`,
      bar: 'at most 1.5 times',
      holds: options.judged && before.length > 0 ? grown <= 1.5 : null,
    },
  ];
}

class Run {
  sent = 0;
  unanswered = 0;
  readonly wrong: string[] = [];
  readonly leaking: string[] = [];
  readonly smuggled: string[] = [];
  readonly #node: RealNode;
  readonly #options: FuzzOptions;
  readonly #dice: Dice;
  readonly #operatorPort: number;
  readonly #byStatus = new Map<number, number>();

  constructor(node: RealNode, options: FuzzOptions) {
    this.#node = node;
    this.#options = options;
    this.#dice = new Dice(options.seed);
    this.#operatorPort = Number(new URL(node.operatorUrl).port);
  }

  get answersByStatus(): string {
    return [...this.#byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ');
  }

  async until(requests: number, say: Say): Promise<void> {
    let nextReport = this.sent;
    const client = async (): Promise<void> => {
      while (this.sent < requests) {
        this.sent += 1;
        if (this.sent >= nextReport) {
          say(`${this.sent} requests; ${this.answersByStatus}`);
          nextReport += 1000;
        }
        const attack = this.#attack();
        const port = attack.port === 'operator' ? this.#operatorPort : this.#node.port;
        const cuts = this.#dice.chance(0.2) ? this.#cuts(attack.bytes.length) : [];
        this.#judge(attack, cuts.length > 0, await send(port, attack, cuts));
      }
    };
    await Promise.all(Array.from({ length: this.#options.clients }, client));
  }

  #attack(): Attack {
    const dice = this.#dice;
    const port = dice.chance(0.6) ? 'operator' : 'public';
    const one = (isLast: boolean) =>
      port === 'operator' ? operatorAttack(dice, { secret, id, maxBodyBytes }, isLast) : publicAttack(dice, isLast);
    if (dice.chance(0.05)) return noise(dice, port);
    if (dice.chance(0.85)) return one(true);
    const before = Array.from({ length: 1 + dice.below(6) }, () => one(false));
    this.sent += before.length;
    return pipelined([...before, one(true)], dice);
  }

  /** Where a request is broken into pieces. */
  #cuts(length: number): number[] {
    return Array.from({ length: 1 + this.#dice.below(6) }, () => this.#dice.below(length)).sort((a, b) => a - b);
  }

  #judge(attack: Attack, isInPieces: boolean, { text, answers, gaveUp }: Heard): void {
    const label = `[${attack.port}] ${attack.name}`.slice(0, 300);
    if (answers.length === 0) {
      this.unanswered += 1;
      if (attack.isWhole && !gaveUp && !mayBeReset(attack, isInPieces)) this.wrong.push(`no answer to ${label}`);
    }
    for (const [at, { status }] of answers.entries()) {
      this.#byStatus.set(status, (this.#byStatus.get(status) ?? 0) + 1);
      const allowed = attack.allowed[at];
      if (allowed !== undefined && !allowed.includes(status)) {
        this.wrong.push(`${status} instead of ${[...new Set(allowed)].join('/')} to ${label}`);
      }
      // What node's parser makes of leftovers is a 400; anything else is an answer to a request that was not sent.
      if (allowed === undefined && status !== 400) this.smuggled.push(label);
    }
    if (leaks.some((leak) => leak.test(text))) this.leaking.push(`${label}: ${text.slice(0, 500)}`);
  }
}

/**
 * Where not all of a request is read, the system resets the connection, and an answer on its way may be lost: a head
 * that is refused by itself is answered, and its connection closed, before a later piece of the body is there.
 */
function mayBeReset({ allowed }: Attack, isInPieces: boolean): boolean {
  const early = isInPieces ? [400, 401, 403, 404, 405, 413, 415, 431] : [400, 413, 431];
  return allowed.flat().some((status) => early.includes(status));
}

/** Resident bytes of each process; none where the system does not tell. */
function memoryOf(pids: readonly number[]): number[] {
  try {
    return pids.map((pid) => {
      const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) * 1024;
    });
  } catch {
    return [];
  }
}

const inMiB = (bytes: number): string => (bytes / 1_048_576).toFixed(0);

async function auditOf(home: Home): Promise<string> {
  const folder = join(home.path, 'state');
  const names = (await readdir(folder)).filter((name) => name.startsWith('audit'));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('');
}
