// The long forms of the proofs, from the command line: `node dist/test/proofs/prove.js drain --rounds 50`.
import { Command, Option } from 'commander';
import { contentCauses, proveContentIsolation } from './content-isolation.ts';
import { proveDamage } from './damage.ts';
import { directoryKinds, proveDirectory } from './directory.ts';
import { proveDrain } from './drain.ts';
import { proveDurable } from './durable.ts';
import { proveFuzz } from './fuzz.ts';
import { proveIsolation } from './isolation.ts';
import { proveLinearizable } from './linearizable.ts';
import { prove } from './proof.ts';
import { proveSoak } from './soak.ts';
import { proveTwoNodes } from './two-nodes.ts';

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`Not a whole number above 0: ${text}`);
  return value;
};
const list = (text: string): number[] => text.split(',').map(whole);

const randomSeed = (): number => 1 + Math.floor(Math.random() * 1_000_000_000);

const program = new Command('prove').description('What is promised of a running node, tried on real processes.');

program
  .command('drain')
  .summary('Stops, starts and a shutdown under load cut no response short.')
  .option('--workers <list>', 'numbers of server processes', list, [1, 2, 4])
  .option('--rounds <n>', 'stops and starts for each', whole, 50)
  .option('--clients <n>', 'clients at full speed', whole, 100)
  .option('--hostile-sec <n>', 'how long hostile clients may hold a drain', whole, 3)
  .action((options) =>
    prove((say) => proveDrain({ ...options, idleGraceMs: 1000, ends: ['shutdown', 'SIGTERM'], judged: true }, say)),
  );

program
  .command('isolation')
  .summary('However busy or hung the public side is, the operator is answered.')
  .option('--workers <n>', 'server processes', whole, 2)
  .option('--clients <n>', 'clients at full speed', whole, 100)
  .option('--turns <n>', 'turns of idle and saturated', whole, 5)
  .option('--calls <n>', 'calls of each kind in a turn', whole, 400)
  .action((options) => prove((say) => proveIsolation({ ...options, workerTimeoutMs: 1500, judged: true }, say)));

program
  .command('content-isolation')
  .summary('However the content process fails, viewers and operators notice nothing of it.')
  .addOption(new Option('--causes <cause...>', 'what happens').choices(contentCauses).default(contentCauses))
  .option('--clients <n>', 'clients at full speed', whole, 20)
  .option('--downloads <n>', 'downloads in progress', whole, 20)
  .option('--calls <n>', 'calls of each kind, before and during it', whole, 300)
  .option('--calm', 'waits until the conditions of the crashes are gone', false)
  .action(({ calm, ...options }) =>
    prove((say) =>
      proveContentIsolation({ ...options, contentTimeoutMs: 5000, judged: true, waitsForCalm: calm }, say),
    ),
  );

program
  .command('fuzz')
  .summary('Nothing thrown at either port breaks the node, makes it talk, makes it grow, or keeps others waiting.')
  .option('--seed <n>', 'the same seed is the same requests', whole, 1 + Math.floor(Math.random() * 1e9))
  .option('--requests <n>', 'malformed and hostile requests', whole, 50_000)
  .option('--clients <n>', 'at once', whole, 32)
  .action((options) =>
    prove((say) => proveFuzz({ ...options, judged: true, waits: { parts: [0.25, 0.5, 1], trials: 7 } }, say)),
  );

program
  .command('linearizable')
  .summary('Answers are in order, whatever many clients do at once and whatever breaks during it.')
  .option('--operations <n>', 'over all nodes', whole, 6000)
  .option('--per-node <n>', 'after which a node is shut down', whole, 300)
  .option('--clients <n>', 'at once', whole, 4)
  .option('--seed <n>', 'the same seed gives the same commands', whole, randomSeed())
  .action((options) => prove((say) => proveLinearizable({ ...options, judged: true }, say)));

program
  .command('durable')
  .summary('Nothing acknowledged is lost when the control process is killed at any instant.')
  .option('--rounds <n>', 'kills', whole, 200)
  .option('--clients <n>', 'at once', whole, 3)
  .option('--seed <n>', 'the same seed gives the same commands', whole, randomSeed())
  .option('--intruders <n>', 'rounds of other nodes on the same state directory', whole, 10)
  .action(({ intruders, ...options }) =>
    prove(async (say) => [...(await proveDurable(options, say)), ...(await proveTwoNodes({ rounds: intruders }, say))]),
  );

program
  .command('damage')
  .summary('After random damage to the index every object is served again, and no other bytes.')
  .option('--rounds <n>', 'damaged indexes', whole, 100)
  .option('--objects <n>', 'in the catalogue', whole, 3000)
  .option('--seed <n>', 'the same seed gives the same damage', whole, randomSeed())
  .action((options) => prove((say) => proveDamage(options, say)));

program
  .command('directory')
  .summary(
    'A kill of the content process or the node shows no mixed directory, loses nothing, and has nothing read twice.',
  )
  .option('--rounds <n>', 'kills for each kind of directory', whole, 100)
  .addOption(new Option('--kinds <kind...>', 'kinds of directory').choices(directoryKinds).default(directoryKinds))
  .option('--objects <n>', 'objects of a catalogue', whole, 1000)
  .option('--big-files <n>', 'files of 32 MiB that never change', whole, 3)
  .option('--seed <n>', 'the same seed gives the same changes', whole, randomSeed())
  .action((options) => prove((say) => proveDirectory({ ...options, judged: true }, say)));

program
  .command('soak')
  .summary('After minutes of load, commands and kills a node holds what it held at the beginning.')
  .option('--turns <n>', 'turns of load and rest', whole, 8)
  .option('--turn-sec <n>', 'how long the load of a turn lasts', whole, 30)
  .option('--clients <n>', 'clients at full speed', whole, 60)
  .action((options) => prove((say) => proveSoak({ ...options, judged: true }, say)));

await program.parseAsync();
