// The proof that the operator gets through: what reads, refusals and settings take with the public side idle, saturated, and hung.
import type { StateDocument } from '../../src/control/node-control.ts';
import { Crowd } from '../support/crowd.ts';
import { accessToken, Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';
import { Operator, Times } from './operator-calls.ts';
import type { Finding, Say } from './proof.ts';

export interface IsolationOptions {
  readonly workers: number;
  readonly clients: number;
  /** Idle and saturated take turns this often. */
  readonly turns: number;
  /** Calls of each kind in a turn. */
  readonly calls: number;
  /** What a worker that hangs is given, per step. */
  readonly workerTimeoutMs: number;
  /** Whether the ratios are judged; figures of a few calls say nothing. */
  readonly judged: boolean;
}

const kinds = {
  'state (read)': { method: 'GET', path: 'state', status: 200 },
  'start-api (refused)': { method: 'POST', path: 'start-api', status: 409 },
  'set-buckets (saved)': { method: 'POST', path: 'set-buckets', status: 200 },
} as const;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as Kind[];

export async function proveIsolation(options: IsolationOptions, say: Say): Promise<Finding[]> {
  const objects = { 1: 'x'.repeat(1000), 2: Buffer.alloc(100_000, 1), 3: 1_000_000 };
  const { workers, workerTimeoutMs } = options;
  const home = await Home.make({ objects, publicApi: { workers, workerTimeoutMs, niceness: 10 } });
  const node = await home.start();
  const operator = new Operator(node.operatorUrl, await accessToken());
  try {
    await until(async () => (await node.state()).workers.every(({ state }) => state === 'serving'));
    return [...(await loaded(node, operator, options, say)), ...(await hung(node, operator, options, say))];
  } finally {
    operator.leave();
    await node.end();
    await home.remove();
  }
}

async function loaded(node: RealNode, operator: Operator, options: IsolationOptions, say: Say): Promise<Finding[]> {
  const idle = new Times();
  const saturated = new Times();
  let answers = 0;
  const loadedMs = { sum: 0 };
  // What is compiled and cached on the way is not to be laid to the idle node.
  await measure(operator, Math.min(options.calls, 300), new Times());
  for (let turn = 1; turn <= options.turns; turn += 1) {
    say(`turn ${turn}: idle`);
    await measure(operator, options.calls, idle);
    say(`turn ${turn}: saturated`);
    const crowd = new Crowd({
      port: node.port,
      paths: [1, 1, 1, 2, 3].map((id) => `/api/v1/assets/${id}`),
      clients: options.clients,
      manner: 'keep-alive',
    });
    await crowd.arrived();
    const began = Date.now();
    await measure(operator, options.calls, saturated);
    loadedMs.sum += Date.now() - began;
    answers += (await crowd.leave()).answers;
  }
  const findings = kindNames.flatMap((kind) =>
    ([50, 99] as const).map((percent): Finding => {
      const [a, b] = [idle.at(kind, percent), saturated.at(kind, percent)];
      const most = percent === 50 ? 2 : 4;
      const figure = `${a.toFixed(2)} ms idle, ${b.toFixed(2)} ms saturated: ${(b / a).toFixed(2)}×`;
      return { what: `${kind}, p${percent}`, figure, bar: `≤ ${most}×`, holds: options.judged ? b / a <= most : null };
    }),
  );
  const rate = Math.round((1000 * answers) / loadedMs.sum);
  return [...findings, { what: 'public answers during it', figure: `${rate} a second`, bar: '', holds: null }];
}

async function measure(operator: Operator, calls: number, times: Times): Promise<void> {
  for (let call = 0; call < calls; call += 1) {
    for (const kind of kindNames) {
      const began = performance.now();
      const { status } = await operator.call(kinds[kind].method, kinds[kind].path);
      times.add(kind, performance.now() - began);
      if (status !== kinds[kind].status) throw new Error(`${kind}: ${status}`);
    }
  }
}

/** Every worker is stopped before each of the commands that need them. */
async function hung(node: RealNode, operator: Operator, options: IsolationOptions, say: Say): Promise<Finding[]> {
  const findings: Finding[] = [];
  // As long as the machine gives each step of a command: two times that of a worker, and a second.
  const most = 2 * options.workerTimeoutMs + 1000;
  for (const [method, path] of [
    ['GET', 'state'],
    ['POST', 'start-api'],
    ['POST', 'set-buckets'],
    ['POST', 'stop-api'],
    ['POST', 'start-api'],
    ['POST', 'shutdown'],
  ] as const) {
    say(`every worker hung: ${path}`);
    const allServe = async () => {
      const { workers, publicApi } = await node.state();
      return (
        publicApi === 'stopped' ||
        (workers.length === options.workers && workers.every(({ state }) => state === 'serving'))
      );
    };
    // A process that was stopped while it started is replaced after the time limit of starts.
    await until(allServe, { limitMs: 120_000 });
    for (const pid of await node.workerPids()) process.kill(pid, 'SIGSTOP');
    const began = Date.now();
    const { status, document } = await operator.call(method, path);
    const tookMs = Date.now() - began;
    const { publicApi } = document as StateDocument;
    findings.push({
      what: `every worker hung: ${path} (${status}${status === 200 ? `, ${publicApi}` : ''})`,
      figure: `${tookMs} ms`,
      bar: `< ${most} ms`,
      holds: (tookMs < most || !options.judged) && [200, 409].includes(status),
    });
  }
  const { code } = await node.exited;
  return [...findings, { what: 'exit', figure: `code ${code}`, bar: 'code 0', holds: code === 0 }];
}
