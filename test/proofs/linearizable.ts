// The proof that answers are in order: clients at random against real nodes with faults thrown in, and an order that explains them.
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Command } from '../../machines/commands.ts';
import type { Answer, OperatorClient } from '../../src/client/http-client.ts';
import { createClient } from '../../src/client/http-client.ts';
import { bodyOf, History } from '../support/history.ts';
import { explain } from '../support/linearizable.ts';
import { standing } from '../support/model.ts';
import { randomOperation, sampleOf } from '../support/random-commands.ts';
import { accessToken, Home, type RealNode } from '../support/real-node.ts';
import { connected, requestFor } from '../support/viewer.ts';
import { type FaultName, faultNames, throwIn } from './faults.ts';
import type { Finding, Say } from './proof.ts';

export interface LinearizableOptions {
  /** Over all nodes. */
  readonly operations: number;
  /** A node is shut down, and the next one started, after so many. */
  readonly perNode: number;
  readonly clients: number;
  readonly seed: number;
}

/** How long a command may take: twice the step deadlines that follow from the config below, and a slow day. */
const longestMs = 15_000;

const config = {
  objects: { 1: 16 * 1024 * 1024 },
  publicApi: { workers: 2, workerTimeoutMs: 500, heartbeatMs: 100, drainTimeoutSec: 1, idleGraceMs: 50 },
  more: { stateFile: { saveTimeoutMs: 1000, saveRetryMs: 200 }, logs: { console: { level: 'off' } } },
};

/** What one node goes through. */
const script = ({ clients, perNode }: LinearizableOptions) => {
  const pauseMs = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(30) });
  const step = fc.record({ command: randomOperation, pauseMs });
  const length = Math.ceil(perNode / clients);
  return fc.record({
    clients: fc.array(fc.array(step, { minLength: length, maxLength: length, size: 'max' }), {
      minLength: clients,
      maxLength: clients,
    }),
    faults: fc.array(
      fc.record({
        name: fc.constantFrom(...faultNames),
        afterMs: fc.nat(400),
        lastsMs: fc.integer({ min: 20, max: 400 }),
      }),
      { minLength: 3, maxLength: 6 },
    ),
    /** What is asked around the shutdown. */
    last: fc.array(randomOperation, { minLength: 2 * clients, maxLength: 2 * clients }),
    viewerStays: fc.boolean(),
  });
};

type Script = ReturnType<typeof script> extends fc.Arbitrary<infer T> ? T : never;

export async function proveLinearizable(options: LinearizableOptions, say: Say): Promise<Finding[]> {
  const home = await Home.make(config);
  const faults = Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>;
  const sums = { nodes: 0, operations: 0, refused: 0, failed: 0, lost: 0, slowestMs: 0 };
  const unexplained: string[] = [];
  try {
    while (sums.operations < options.operations && unexplained.length === 0) {
      const seed = options.seed + sums.nodes;
      say(`node ${sums.nodes + 1} (seed ${seed}), ${sums.operations} operations`);
      const node = await home.start();
      try {
        const { history, thrown } = await live(home, node, sampleOf(script(options), seed));
        const { explained, order } = explain(afterStart, history.operations, { faults: true });
        if (!explained) unexplained.push(`seed ${seed}, after ${order.length} operations:\n${history.around(order)}`);
        for (const name of thrown) faults[name] += 1;
        sums.operations += history.operations.length;
        sums.refused += history.count(409);
        sums.failed += history.count(500);
        sums.lost += history.operations.filter(({ answer }) => answer === null).length;
        sums.slowestMs = Math.max(sums.slowestMs, history.slowestMs);
      } finally {
        await node.end();
      }
      await home.forget();
      sums.nodes += 1;
    }
  } finally {
    await home.remove();
  }
  const { operations, refused, failed, lost, nodes, slowestMs } = sums;
  return [
    {
      what: `histories of ${options.clients} clients (seed ${options.seed})`,
      figure: unexplained[0] ?? `${nodes}, ${operations} operations`,
      bar: 'explained by an order',
      holds: unexplained.length === 0,
    },
    {
      what: 'refused, failed, lost with the connection',
      figure: `${refused}, ${failed}, ${lost}`,
      bar: '',
      holds: null,
    },
    ...faultNames.map((name) => ({ what: `fault: ${name}`, figure: `${faults[name]}`, bar: '', holds: null })),
    {
      what: 'slowest command',
      figure: `${Math.round(slowestMs)} ms`,
      bar: `${longestMs} ms`,
      holds: slowestMs <= longestMs,
    },
  ];
}

/** As the config above has it. */
const afterStart = standing({ generation: 0, publicApi: 'running', workerId: 0, buckets: null });

async function live(home: Home, node: RealNode, script: Script): Promise<{ history: History; thrown: FaultName[] }> {
  const history = new History();
  const client = createClient({ url: node.operatorUrl, token: await accessToken(), timeoutMs: longestMs });
  const ask = (command: Script['last'][number]) => history.ask(command, () => send(client, command));
  let over = false;
  const faults = (async () => {
    const thrown: FaultName[] = [];
    for (const { name, afterMs, lastsMs } of script.faults) {
      await sleep(afterMs);
      if (over) break;
      if (await throwIn(name, { home, node, lastsMs })) thrown.push(name);
    }
    return thrown;
  })();
  await Promise.all(
    script.clients.map(async (steps) => {
      for (const { command, pauseMs } of steps) {
        if (pauseMs > 0) await sleep(pauseMs);
        await ask(command);
      }
    }),
  );
  over = true;
  const thrown = await faults;
  const viewer = script.viewerStays
    ? await connected(node.port, requestFor('/api/v1/assets/1')).catch(() => null)
    : null;
  const middle = Math.floor(script.last.length / 2);
  const last = [...script.last.slice(0, middle), { type: 'shutdown' } as const, ...script.last.slice(middle)];
  await Promise.all(last.map(ask));
  await Promise.all(script.last.map(ask));
  viewer?.destroy();
  await node.exited;
  return { history, thrown };
}

function send(client: OperatorClient, command: Command | { readonly type: 'read' }): Promise<Answer> {
  return command.type === 'read' ? client.state() : client.command(command.type, bodyOf(command));
}
