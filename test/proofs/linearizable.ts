// The proof that answers are in order: clients at random against real nodes with injected faults, and an order that explains the answers.
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { Answer, OperatorClient, SignedRequest } from '../../src/client/http-client.ts';
import { createClient } from '../../src/client/http-client.ts';
import { accessToken, Home, type RealNode, signingKey } from '../support/harness.ts';
import { bodyOf, History } from '../support/history.ts';
import { explain, type Operation } from '../support/linearizable.ts';
import { standing } from '../support/model.ts';
import { Pipeline, signed } from '../support/pipeline.ts';
import { randomOperation, sampleOf } from '../support/random-commands.ts';
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
  /** Whether the slowest command is judged: that of a busy machine says nothing. */
  readonly judged: boolean;
}

/** How long a command may take: twice the step deadlines that follow from the config below, and a slow day. */
const longestMs = 15_000;
/** When a client gives up, a safety net. */
const timeoutMs = 60_000;

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
    /** What is asked around the shutdown, on connections of their own. */
    last: fc.array(randomOperation, { minLength: 2 * clients, maxLength: 2 * clients }),
    /** What is sent ahead before it, on as many open connections; the shutdown itself is within the last of them. */
    burst: fc.array(fc.array(randomOperation, { minLength: 1, maxLength: 3 }), {
      minLength: clients,
      maxLength: clients,
    }),
    viewerStays: fc.boolean(),
  });
};

type Script = ReturnType<typeof script> extends fc.Arbitrary<infer T> ? T : never;

export async function proveLinearizable(options: LinearizableOptions, say: Say): Promise<Finding[]> {
  const home = await Home.make(config);
  const faults = Object.fromEntries(faultNames.map((name) => [name, 0])) as Record<FaultName, number>;
  const sums = { nodes: 0, operations: 0, ahead: 0, refused: 0, failed: 0, lost: 0, slowestMs: 0 };
  const atTheEnd = { asked: 0, unanswered: 0 };
  const unexplained: string[] = [];
  try {
    while (sums.operations < options.operations && unexplained.length === 0) {
      const seed = options.seed + sums.nodes;
      say(`node ${sums.nodes + 1} (seed ${seed}), ${sums.operations} operations`);
      const node = await home.start();
      try {
        const { history, thrown, burst } = await live(home, node, sampleOf(script(options), seed));
        const { explained, order } = explain(afterStart, history.operations, { faults: true });
        if (!explained) unexplained.push(`seed ${seed}, after ${order.length} operations:\n${history.around(order)}`);
        for (const name of thrown) faults[name] += 1;
        atTheEnd.asked += burst.length;
        atTheEnd.unanswered += burst.filter((answer) => answer === null).length;
        sums.ahead += history.operations.filter(({ sent }) => sent).length;
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
  const { operations, ahead, refused, failed, lost, nodes, slowestMs } = sums;
  return [
    {
      what: `histories of ${options.clients} clients (seed ${options.seed})`,
      figure: unexplained[0] ?? `${nodes}, ${operations} operations, ${ahead} of them sent ahead`,
      bar: 'explained by an order',
      holds: unexplained.length === 0,
    },
    {
      what: 'unanswered of those that came before a shutdown or with it',
      figure: `${atTheEnd.unanswered} of ${atTheEnd.asked}`,
      bar: '0',
      holds: atTheEnd.unanswered === 0,
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
      holds: options.judged ? slowestMs <= longestMs : null,
    },
  ];
}

/** As the config above has it. */
const afterStart = standing({ generation: 0, publicApi: 'running', workerId: 0, buckets: null });

interface Life {
  readonly history: History;
  readonly thrown: readonly FaultName[];
  /** What became of each that was sent ahead around the shutdown; null: it was not answered. */
  readonly burst: readonly (Answer | null)[];
}

async function live(home: Home, node: RealNode, script: Script): Promise<Life> {
  const history = new History();
  const url = node.operatorUrl;
  const client = createClient({ url, token: await accessToken(), timeoutMs });
  const ask = (command: Operation['command']) => history.ask(command, () => send(client, command));
  const lines = new Lines(history, [client, createClient({ url, secret: signingKey, timeoutMs })]);
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
    script.clients.map(async (steps, at) => {
      // Every other one sends ahead.
      if (at % 2 === 1) return lines.follow(url, steps);
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
  const open = await Promise.all(script.burst.map(() => lines.open(url)));
  const batches = script.burst.map((batch, at) =>
    at < script.burst.length - 1 ? batch : [...batch, { type: 'shutdown' } as const, ...batch],
  );
  const ready = await Promise.all(batches.map((batch) => lines.signed(batch)));
  // All in one turn: what stands before the shutdown is in the kernel before it.
  const answers = open.flatMap((line, at) => lines.send(line, batches[at] ?? [], ready[at] ?? []));
  const others = script.last.map(ask);
  const burst = await Promise.all(answers);
  await Promise.all(others);
  await Promise.all(script.last.map(ask));
  viewer?.destroy();
  for (const { pipeline } of open) pipeline.close();
  await node.exited;
  return { history, thrown, burst };
}

interface Line {
  readonly pipeline: Pipeline;
  readonly connection: number;
}

/** Clients that send several requests ahead on one connection, each with the next of several kinds of token. */
class Lines {
  readonly #history: History;
  readonly #signers: readonly OperatorClient[];
  #connections = 0;
  #signatures = 0;
  #places = 0;

  constructor(history: History, signers: readonly OperatorClient[]) {
    this.#history = history;
    this.#signers = signers;
  }

  async open(url: string): Promise<Line> {
    this.#connections += 1;
    return { connection: this.#connections, pipeline: await Pipeline.open(url) };
  }

  signed(commands: readonly Operation['command'][]): Promise<SignedRequest[]> {
    return Promise.all(
      commands.map((command) => {
        this.#signatures += 1;
        return signed(this.#signers[this.#signatures % this.#signers.length] as OperatorClient, command);
      }),
    );
  }

  send({ pipeline, connection }: Line, commands: readonly Operation['command'][], requests: readonly SignedRequest[]) {
    const answers = pipeline.send(requests);
    return commands.map((command, at) => {
      this.#places += 1;
      const sent = { connection, place: this.#places };
      return this.#history.ask(command, () => answers[at] as Promise<Answer>, sent);
    });
  }

  /** Sends ahead what comes without a pause. */
  async follow(url: string, steps: readonly { readonly command: Operation['command']; readonly pauseMs: number }[]) {
    const line = await this.open(url);
    for (let at = 0; at < steps.length; ) {
      const pause = steps.findIndex(({ pauseMs }, later) => later > at && (pauseMs > 0 || later - at >= longestBatch));
      const batch = steps.slice(at, pause < 0 ? undefined : pause);
      const commands = batch.map(({ command }) => command);
      await sleep(batch[0]?.pauseMs);
      await Promise.all(this.send(line, commands, await this.signed(commands)));
      at += batch.length;
    }
    line.pipeline.close();
  }
}

/** So many requests are sent ahead at most. */
const longestBatch = 4;

function send(client: OperatorClient, command: Operation['command']): Promise<Answer> {
  return command.type === 'read' ? client.state() : client.command(command.type, bodyOf(command));
}
