// The proof that one node at a time has a state directory: others are started on it from other namespaces, as from containers.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Home, type RealNode, type StartOptions } from '../support/harness.ts';
import { otherNamespaces } from '../support/namespaces.ts';
import type { Finding, Say } from './proof.ts';

export async function proveTwoNodes({ rounds }: { readonly rounds: number }, say: Say): Promise<Finding[]> {
  const home = await Home.make({ more: { logs: { console: { level: 'off' } } } });
  const alias = join(home.path, 'alias');
  await Promise.all([mkdir(alias), mkdir(home.statePath, { mode: 0o700 })]);
  const elsewhere = otherNamespaces();
  const there: StartOptions =
    elsewhere === null
      ? {}
      : {
          env: { DISTRIBUTOR__DIRECTORIES__STATE: alias },
          through: (command) => elsewhere.command(home.statePath, alias, command),
        };
  const scene: Scene = { home, there, launched: [], errors: [], refused: 0, acknowledged: 0 };
  let done = 0;
  try {
    for (; done < rounds && scene.errors.length === 0; done += 1) {
      say(`two nodes, round ${done + 1}: ${scene.refused} starts refused`);
      await round(scene);
    }
  } finally {
    await Promise.all(scene.launched.map((node) => node.end()));
    await home.remove();
  }
  const { errors, refused, acknowledged } = scene;
  const where = elsewhere?.words ?? 'in the same namespaces (others cannot be made here)';
  return [
    {
      what: `a second node on the directory, ${where}`,
      figure: errors[0] ?? `${refused} starts refused, ${acknowledged} acknowledged commands kept`,
      bar: 'one node at a time',
      holds: errors.length === 0,
    },
  ];
}

interface Scene {
  readonly home: Home;
  /** How a node is started elsewhere. */
  readonly there: StartOptions;
  readonly launched: RealNode[];
  readonly errors: string[];
  refused: number;
  acknowledged: number;
}

async function round(scene: Scene): Promise<void> {
  const { home, there, launched, errors } = scene;
  const launch = (options?: StartOptions) => {
    const node = home.launch(options);
    launched.push(node);
    return node;
  };
  const first = launch();
  await first.up;

  // No other node may start while this one takes commands.
  const intruder = launch(there);
  let isOver = false;
  const ended = outcomeOf(intruder).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const { status } = await first.command('set-worker', { workerId: scene.acknowledged });
    if (status === 200) scene.acknowledged += 1;
    else errors.push(`set-worker was answered with ${status}`);
  }
  refusals(scene, [await ended], `(process ${first.pid})`);
  const before = await first.state();

  // It dies, and several want to take its place: one gets in, with what was acknowledged.
  first.signal('SIGKILL');
  await first.exited;
  const several = [launch(there), launch(), launch(there)];
  const outcomes = await Promise.all(several.map(outcomeOf));
  const inside = several.filter((_, index) => outcomes[index] === 'up');
  if (inside.length !== 1) errors.push(`of three nodes started together, ${inside.length} are up`);
  refusals(
    scene,
    outcomes.filter((outcome) => outcome !== 'up'),
    '',
  );
  await Promise.all(inside.map((node) => node.end()));
  const last = launch();
  await last.up;
  const after = await last.state();
  if (desiredOf(after) !== desiredOf(before)) errors.push(`${desiredOf(before)} became ${desiredOf(after)}`);
  await last.end();
}

const desiredOf = ({ generation, settings, desired }: StateDocument): string =>
  JSON.stringify({ generation, settings, desired });

/** `up`, or its exit code and what it said. */
const outcomeOf = (node: RealNode): Promise<string> =>
  node.up.then(
    () => 'up',
    (error: Error) => error.message,
  );

function refusals(scene: Scene, outcomes: readonly string[], holder: string): void {
  for (const outcome of outcomes) {
    const isRefusal = /^The node ended with 40: .* is in use by another node/.test(outcome) && outcome.includes(holder);
    if (isRefusal) scene.refused += 1;
    else scene.errors.push(`a second node: ${outcome}`);
  }
}
