// The node that runs the machine, asked over real HTTP: every simple path, every command in every state, and what comes too early.
import { expect } from 'chai';
import { commandNames } from '../../machines/commands.ts';
import { isSettled } from '../../machines/judge.ts';
import { GatedNode, type OperatorSide, startOperatorSide } from '../support/harness.ts';
import { keyOf } from '../support/model.ts';
import { type Path, type Start, shortestPaths, simplePaths, starts } from '../support/paths.ts';
import { inShort, Replay } from '../support/replay.ts';
import { until } from '../support/until.ts';

const commands = commandNames.filter((name) => name !== 'set-buckets');
/** What comes before the last answers is looked at by itself: it would make the paths seven times as many. */
const options = { drains: 0, delays: false, lateEvents: false, commands } as const;

/** So many nodes at once: each waits for the network now and then. */
const abreast = 4;

describe('node', function () {
  this.timeout(120_000);
  let operators: OperatorSide[];

  before(async () => {
    operators = await Promise.all(Array.from({ length: abreast }, () => startOperatorSide({ logLevel: 'silent' })));
  });
  after(() => Promise.all(operators.map((operator) => operator.close())));

  /** After a failure no further one is begun. */
  async function forEach<T>(
    things: readonly T[],
    work: (operator: OperatorSide, thing: T) => Promise<void>,
  ): Promise<void> {
    const left = [...things];
    const failures: unknown[] = [];
    await Promise.all(
      operators.map(async (operator) => {
        for (let next = left.shift(); next !== undefined && failures.length === 0; next = left.shift())
          await work(operator, next).catch((error: unknown) => failures.push(error));
      }),
    );
    if (failures.length > 0) throw failures[0];
  }

  it('answers on every simple path, and to every command on the way, as the machine does', async () => {
    const paths = simplePaths('stoppedAgain', options);
    expect(paths.length).to.be.greaterThan(250);
    // Every step is looked at once, whatever led to it, and so is every end.
    const looked = new Set<string>();
    await forEach(paths, async (operator, { start, steps }) => {
      await using replay = await Replay.from(operator, start);
      let way: string = start;
      for (const step of steps) {
        const { name, from, state } = step;
        way += ` → ${name}`;
        await named(way, async () => {
          await replay.take(step);
          const edge = `${keyOf(from)} ${name}`;
          if (!looked.has(edge) || state.status === 'done') await replay.look();
          looked.add(edge);
          if (looked.has(keyOf(state))) return;
          looked.add(keyOf(state));
          await replay.askInVain();
        });
      }
    });
  });

  it('does not judge a command before it has begun to bring the public API to where it is wanted', async () => {
    const [operator] = operators as [OperatorSide];
    await using node = new GatedNode({ operator, config: { publicApi: 'running', workerId: 0, buckets: null } });
    const early = Promise.all([node.command({ type: 'stop-api' }), node.command({ type: 'stop-api' })]);
    expect((await node.state()).publicApi).to.equal('stopped');
    await node.node.restore();
    expect((await early).map(inShort)).to.have.deep.members([
      [200, undefined],
      [409, 'Already stopped'],
    ]);
    expect(node.saved?.changes).to.deep.equal({ publicApi: 'stopped' });
  });

  it('is shut down even before that', async () => {
    const [operator] = operators as [OperatorSide];
    const node = new GatedNode({ operator, config: { publicApi: 'running', workerId: 0, buckets: null } });
    const early = node.command({ type: 'stop-api' });
    await node.state();
    expect((await node.command({ type: 'shutdown' })).status).to.equal(200);
    expect(await node.node.exited).to.equal(0);
    await node.node.restore();
    expect(inShort(await early)).to.deep.equal([409, 'Node is shutting down']);
    expect(node.side.port).to.equal(null);
  });

  it('refuses settings that could not be applied once they were saved, with the reason, and saves nothing', async () => {
    const [operator] = operators as [OperatorSide];
    await using node = new GatedNode({ operator, config: { publicApi: 'running', workerId: 0, buckets: null } });
    await node.node.restore();
    const before = await node.state();
    node.side.cannotPrepare = 'No room for them';
    for (const command of [{ type: 'set-worker', workerId: 7 } as const, { type: 'set-buckets' } as const]) {
      expect(inShort(await node.command(command))).to.deep.equal([500, 'No room for them']);
    }
    expect([node.saved, await node.state()]).to.deep.equal([null, before]);
    expect((await node.command({ type: 'stop-api' })).status).to.equal(200);
    node.side.cannotPrepare = null;
    expect((await node.command({ type: 'set-worker', workerId: 7 })).status).to.equal(200);
  });

  it('starts with new processes where those that run cannot be given the settings', async () => {
    const [operator] = operators as [OperatorSide];
    await using node = new GatedNode({ operator, config: { publicApi: 'running', workerId: 0, buckets: null } });
    let killed = 0;
    const { kill } = node.side;
    node.side.kill = () => {
      killed += 1;
      kill.call(node.side);
    };
    node.gates.configure.fail('No room for them');
    await node.node.restore();
    expect([killed, (await node.state()).publicApi]).to.deep.equal([1, 'running']);
  });

  it('carries out every change of settings that has come, before it ends', async () => {
    const [operator] = operators as [OperatorSide];
    await using node = new GatedNode({ operator, config: { publicApi: 'stopped', workerId: 0, buckets: null } });
    await node.node.restore();
    node.gates.save.hold();
    const set = (workerId: number) => node.command({ type: 'set-worker', workerId });
    const before = [1, 2, 3, 4].map(set);
    await node.gates.save.reached();
    const shutdown = node.command({ type: 'shutdown' });
    await until(() => node.node.state.node === 'shuttingDown');
    const after = [5, 6, 7, 8].map(set);
    await node.read();
    await node.read();
    node.open();
    const answers = await Promise.all([...before, shutdown, ...after]);
    expect(answers.map(inShort)).to.deep.equal(answers.map(() => [200, undefined]));
    expect(await node.node.exited).to.equal(0);
    expect(node.saved?.generation).to.equal(8);
  });

  it('has commands wait for the steps under way, whatever they are, and judges them then', async () => {
    const busy = waysToStates().filter(({ start, steps }) => !isSettled(steps.at(-1)?.state ?? starts[start]));
    expect(busy.length).to.be.greaterThan(40);
    await forEach(busy, async (operator, { start, steps }) => {
      await named([start, ...steps.map(({ name }) => name)].join(' → '), async () => {
        await using replay = await Replay.from(operator, start);
        for (const step of steps) await replay.take(step);
        await replay.askAndWait();
      });
    });
  });
});

/** A lame duck's time is up by a deadline, and none runs out here. */
const walkable = ['stopped', 'restoring', 'stoppedAgain', 'restoringAgain'] as const satisfies readonly Start[];

/** One way to each state that can be reached without deadlines and drains. */
function waysToStates(): Path[] {
  const ways = new Map<string, Path>();
  for (const start of walkable)
    for (const path of shortestPaths(start, options)) {
      const key = keyOf(path.steps.at(-1)?.state ?? starts[start]);
      if (path.steps.length < (ways.get(key)?.steps.length ?? Number.POSITIVE_INFINITY)) ways.set(key, path);
    }
  return [...ways.values()];
}

/** A failure says on which way. */
async function named(way: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof Error) error.message = `${way}: ${error.message}`;
    throw error;
  }
}
