// The proof that nothing acknowledged is lost: the control process killed at random instants under a stream of commands.
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { createClient, type OperatorClient, type SignedRequest } from '../../src/client/http-client.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Home, type RealNode, signingKey } from '../support/harness.ts';
import { bodyOf, History } from '../support/history.ts';
import { explain } from '../support/linearizable.ts';
import { standing } from '../support/model.ts';
import { randomCommand, sampleOf } from '../support/random-commands.ts';
import { refuses } from '../support/viewer.ts';
import type { Finding, Say } from './proof.ts';

export interface DurableOptions {
  readonly rounds: number;
  readonly clients: number;
  readonly seed: number;
}

/** When the process is killed: so long after the first command, at the n-th answer, or while it starts. */
const instant = fc.oneof(
  { weight: 4, arbitrary: fc.record({ when: fc.constant('after' as const), ms: fc.noBias(fc.nat(500)) }) },
  {
    weight: 4,
    arbitrary: fc.record({ when: fc.constant('answered' as const), count: fc.noBias(fc.integer({ min: 1, max: 40 })) }),
  },
  { weight: 1, arbitrary: fc.record({ when: fc.constant('starting' as const), ms: fc.noBias(fc.nat(600)) }) },
);

const round = (clients: number) =>
  fc.record({
    instant,
    /** Its workers too, as when the power fails; or they are left to find out by themselves. */
    takesWorkers: fc.boolean(),
    streams: fc.array(fc.array(randomCommand, { minLength: 200, maxLength: 200, size: 'max' }), {
      minLength: clients,
      maxLength: clients,
    }),
  });

type Round = ReturnType<typeof round> extends fc.Arbitrary<infer T> ? T : never;

interface Sums {
  acknowledged: number;
  refused: number;
  unanswered: number;
  /** Tokens sent once more after the restart, and refused. */
  replayed: number;
  slowestStartMs: number;
}

export async function proveDurable({ rounds, clients, seed }: DurableOptions, say: Say): Promise<Finding[]> {
  const more = { logs: { console: { level: 'off' } } };
  const home = await Home.make({ objects: { 1: 'one' }, publicApi: { idleGraceMs: 50 }, more });
  const sums: Sums = { acknowledged: 0, refused: 0, unanswered: 0, replayed: 0, slowestStartMs: 0 };
  const errors: string[] = [];
  let node: RealNode | undefined;
  let done = 0;
  try {
    node = await home.start();
    for (; done < rounds && errors.length === 0; done += 1) {
      say(`round ${done + 1} (seed ${seed + done}), ${sums.acknowledged} acknowledged`);
      const stage: Stage = { home, node, sums, errors: [] };
      node = await survive(stage, sampleOf(round(clients), seed + done));
      errors.push(...stage.errors.map((error) => `seed ${seed + done}: ${error}`));
    }
  } finally {
    await node?.end();
    await home.remove();
  }
  const { acknowledged, refused, unanswered, replayed, slowestStartMs } = sums;
  return [
    {
      what: `kills (seed ${seed}), acknowledged commands lost`,
      figure: errors[0] ?? `${done} kills, ${acknowledged} acknowledged, 0 lost`,
      bar: 'none lost',
      holds: errors.length === 0,
    },
    { what: 'refused, without an answer', figure: `${refused}, ${unanswered}`, bar: '', holds: null },
    { what: 'used tokens refused after the restart', figure: `${replayed}`, bar: 'all', holds: errors.length === 0 },
    { what: 'slowest restart', figure: `${Math.round(slowestStartMs)} ms`, bar: '', holds: null },
  ];
}

interface Stage {
  readonly home: Home;
  readonly node: RealNode;
  readonly sums: Sums;
  readonly errors: string[];
}

/** One kill. Resolves with the node that was started after it. */
async function survive(stage: Stage, { instant, takesWorkers, streams }: Round): Promise<RealNode> {
  const { home, node, sums, errors } = stage;
  const history = new History();
  const before = await node.state();
  const used: SignedRequest[] = [];
  const workers = takesWorkers ? before.workers.map(({ pid }) => pid) : [];
  const kill = () => {
    node.signal('SIGKILL');
    for (const pid of workers) signalIfThere(pid);
  };
  if (instant.when === 'starting') {
    kill();
    await node.exited;
    await killWhileStarting(home, instant.ms);
  } else {
    const dead = node.exited.then(() => true);
    let answers = 0;
    const client = clientOf(node);
    const streaming = streams.map(async (commands) => {
      for (const command of commands) {
        const request = await client.signRequest('POST', command.type, bodyOf(command));
        const answer = await history.ask(command, () => client.send(request));
        if (answer === null) return;
        used.push(request);
        answers += 1;
        if (instant.when === 'answered' && answers === instant.count) kill();
      }
    });
    if (instant.when === 'after') {
      await sleep(instant.ms);
      kill();
    }
    await Promise.all([dead, ...streaming]);
  }

  const startedAt = performance.now();
  const next = await home.start();
  sums.slowestStartMs = Math.max(sums.slowestStartMs, performance.now() - startedAt);
  await history.ask({ type: 'read' }, () => clientOf(next).state());
  const { explained, order } = explain(standing(desiredOf(before)), history.operations);
  if (!explained) errors.push(`after the restart the node is not what its answers said:\n${history.around(order)}`);
  for (const request of used.slice(-3)) {
    const { status } = await clientOf(next).send(elsewhere(request, next));
    if (status === 401) sums.replayed += 1;
    else errors.push(`a token that was used before the kill was answered with ${status} after it`);
  }
  await stillObeys(next, errors);
  sums.acknowledged += history.count(200) - 1;
  sums.refused += history.count(409);
  sums.unanswered += history.operations.filter(({ answer }) => answer === null).length;
  return next;
}

const desiredOf = ({ generation, settings, desired }: StateDocument) => ({
  generation,
  ...settings,
  publicApi: desired.publicApi,
});

/** It is killed before it says that it is up; where it was quicker, all the same. */
async function killWhileStarting(home: Home, ms: number): Promise<void> {
  const starting = home.launch();
  await sleep(ms);
  starting.signal('SIGKILL');
  await starting.exited;
}

async function stillObeys(node: RealNode, errors: string[]): Promise<void> {
  const { publicApi, generation } = await node.state();
  const command = publicApi === 'running' ? 'stop-api' : 'start-api';
  const { status, document } = await node.command(command);
  const after = document as StateDocument;
  if (status !== 200 || after.generation !== generation + 1) {
    errors.push(`${command} after the restart was answered with ${status}: ${JSON.stringify(document)}`);
  }
  if ((await refuses(node.port)) !== (after.publicApi === 'stopped')) errors.push(`${command} was not true`);
}

const clientOf = (node: RealNode): OperatorClient =>
  createClient({ url: node.operatorUrl, secret: signingKey, timeoutMs: 20_000 });

/** The same request, to the node's new address; the token is bound to the path. */
const elsewhere = (request: SignedRequest, node: RealNode): SignedRequest => ({
  ...request,
  url: node.operatorUrl + new URL(request.url).pathname,
});

function signalIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has gone by itself.
  }
}
