// One machine decides: every path through its settled states walked with a real node, each answer as the machine has it.
import { expect } from 'chai';
import { type Command, commandNames } from '../../machines/commands.ts';
import { desiredOf, judge, type NodeSnapshot } from '../../machines/judge.ts';
import type { DesiredState } from '../../machines/settings.ts';
import type { StateDocument } from '../../src/control/node-control.ts';
import { Home, type RealNode } from '../support/harness.ts';
import { bodyOf } from '../support/history.ts';
import { advance, afterSteps, carryOut, sampleCommands, standing } from '../support/model.ts';
import { settledPaths } from '../support/paths.ts';
import { inShort, seen, sightOf } from '../support/replay.ts';

describe('One machine decides', function () {
  this.timeout(180_000);
  let home: Home;
  let node: RealNode;
  let now: NodeSnapshot;

  before(async () => {
    home = await Home.make({ publicApi: { idleGraceMs: 10 } });
    node = await home.start();
    now = standing({ generation: 0, publicApi: 'running', workerId: 0, buckets: null });
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  /** Whatever the machine says to it. */
  async function give(command: Command): Promise<void> {
    const judgement = judge(now, command);
    const answer = await node.command(command.type, bodyOf(command));
    expect(inShort(answer)).to.deep.equal(judgement.legal ? [200, undefined] : [409, judgement.reason]);
    if (!judgement.legal) return;
    // A shutdown is answered before the node ends: settings are still legal at that moment.
    expect(seen(answer.document as StateDocument)).to.deep.equal(sightOf(afterSteps(advance(now, command).state)));
    now = carryOut(now, command);
  }

  /** By commands, as an operator would. */
  async function goBackTo({ publicApi, workerId, buckets }: DesiredState): Promise<void> {
    const desired = desiredOf(now);
    if (desired.publicApi !== publicApi) await give({ type: publicApi === 'running' ? 'start-api' : 'stop-api' });
    if (desired.workerId !== workerId) await give({ type: 'set-worker', workerId: workerId ?? 0 });
    if (desired.buckets !== buckets) await give({ type: 'set-buckets', ...(buckets && { buckets }) });
  }

  it('on every path from one settled state to the next', async () => {
    const start = now;
    const paths = settledPaths(start);
    expect(paths.length).to.be.greaterThan(20);
    const asked = new Set<string>();
    const askInVain = async (): Promise<void> => {
      const key = JSON.stringify(desiredOf(now));
      if (asked.has(key)) return;
      asked.add(key);
      for (const type of commandNames) if (!judge(now, { type }).legal) await give(sampleCommands[type]);
    };
    for (const path of paths) {
      await askInVain();
      for (const { command } of path.filter(({ command: { type } }) => type !== 'shutdown')) {
        await give(command);
        await askInVain();
      }
      await goBackTo(desiredOf(start));
    }
    expect(asked.size).to.equal(8);
  });

  it('where each of them ends: with a shutdown, of a node that runs and of one that is stopped', async () => {
    await give({ type: 'shutdown' });
    expect((await node.exited).code).to.equal(now.output?.exitCode);
    node = await home.start();
    now = standing(wishesFrom(await node.state()));
    await give({ type: 'stop-api' });
    await give({ type: 'shutdown' });
    expect((await node.exited).code).to.equal(now.output?.exitCode);
  });
});

const wishesFrom = ({ generation, settings, desired }: StateDocument) => ({
  generation,
  ...settings,
  publicApi: desired.publicApi,
});
