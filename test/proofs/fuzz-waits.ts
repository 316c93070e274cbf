// How long other operators wait, relative to an idle node, while one request of a stranger grows to each limit.
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { accessToken, type RealNode } from '../support/harness.ts';
import { type Growth, growths, type Limits } from './fuzz-growths.ts';
import type { Finding, Say } from './proof.ts';

export interface WaitsOptions {
  readonly limits: Limits;
  /** What is tried of each limit; a half and the whole are the last two. */
  readonly parts: readonly number[];
  /** Of each size; the median counts. */
  readonly trials: number;
  /** Whether the waits are judged: those of a busy machine say nothing. */
  readonly judged: boolean;
}

/** Beside a stranger's request another operator may wait this many times as long as beside one of no size. */
const most = 50;
/** Bodies are read from operators alone, and cost what their length costs: twice as much may take this many times as long. */
const mostForTwice = 4;

export async function proveWaits(node: RealNode, options: WaitsOptions, say: Say): Promise<Finding[]> {
  const { limits, parts, trials, judged } = options;
  const token = await accessToken();
  const operator = new Poller(node.operatorUrl, token);
  const { port } = new URL(node.operatorUrl);
  const unanswered: string[] = [];
  const waitBeside = async (growth: Growth, part: number): Promise<number> => {
    const waits: number[] = [];
    for (let trial = 0; trial < trials; trial += 1) {
      const bytes = growth.request(Math.floor(part * growth.limit), token);
      const { longestMs, value } = await operator.whilst(answered(Number(port), bytes));
      waits.push(longestMs);
      if (!value) unanswered.push(`${growth.name} at ${part} of its limit`);
    }
    return median(waits);
  };

  try {
    const all = growths(limits);
    // What is compiled and cached on the way is not to be laid to the idle node, nor to the first size.
    for (const growth of all) await waitBeside(growth, 0);
    const findings: Finding[] = [];
    for (const what of new Set(all.map((growth) => growth.what))) {
      const of = all.filter((growth) => growth.what === what);
      const idle = median(await inTurns(of, (growth) => waitBeside(growth, 0)));
      const rows = await inTurns(of, async (growth) => {
        say(`waits: ${growth.name}`);
        return { growth, waits: await inTurns(parts, (part) => waitBeside(growth, part)) };
      });
      const worst = parts.map((_, at) => Math.max(...rows.map(({ waits }) => waits[at] ?? 0)));
      const [half = Number.NaN, last = Number.NaN] = worst.slice(-2);
      const by = rows.find(({ waits }) => waits.at(-1) === last)?.growth.name;
      const grown = worst.map((ms, at) => `${parts[at]}: ${(ms / idle).toFixed(1)}×`).join(', ');
      const figure = `idle ${idle.toFixed(1)} ms; of the limit ${grown} (${last.toFixed(0)} ms, ${by})`;
      const [bar, isShort] =
        what === 'body'
          ? [`≤ ${mostForTwice}× that of half`, last <= mostForTwice * half]
          : [`≤ ${most}×`, last <= most * idle];
      findings.push({ what: `longest wait beside a ${what} that grows`, figure, bar, holds: judged ? isShort : null });
    }
    const figure = unanswered.length === 0 ? '0' : `${unanswered.length}, e.g. ${unanswered[0]}`;
    return [...findings, { what: 'grown requests without an answer', figure, bar: 'none', holds: figure === '0' }];
  } finally {
    operator.leave();
  }
}

async function inTurns<T, R>(list: readonly T[], each: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of list) results.push(await each(one));
  return results;
}

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** Whether anything came back on a connection of its own before it closed. */
function answered(port: number, bytes: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = false;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', () => {
      heard = true;
    });
    socket.on('close', () => resolve(heard));
    socket.write(bytes);
  });
}

/** Another operator: asks for the state, one time after the other. */
class Poller {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = `${url}/api/v1/state`;
    this.#token = token;
  }

  /** The longest that it has waited while something was under way. */
  async whilst<T>(underWay: Promise<T>): Promise<{ readonly longestMs: number; readonly value: T }> {
    let isOver = false;
    const over = underWay.finally(() => {
      isOver = true;
    });
    let longestMs = 0;
    do {
      const began = performance.now();
      await this.#ask();
      longestMs = Math.max(longestMs, performance.now() - began);
    } while (!isOver);
    return { longestMs, value: await over };
  }

  #ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, headers: { authorization: `Bearer ${this.#token}` } };
      request(this.#url, options, (res) => {
        if (res.statusCode !== 200) reject(new Error(`Another operator was answered ${res.statusCode}`));
        res.once('end', resolve).resume();
      })
        .once('error', reject)
        .end();
    });
  }

  leave(): void {
    this.#agent.destroy();
  }
}
