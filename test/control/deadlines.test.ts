// The times of the node: whatever the config allows, no sum of them is more than a timer can wait for.
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { nodeMachine } from '../../machines/node.ts';
import { emptyRecord } from '../../machines/settings.ts';
import { loadConfig } from '../../src/config/config.ts';
import { envNameOf, type Key, keys } from '../../src/config/keys.ts';
import { notifyServiceManager } from '../../src/control/announce.ts';
import { deadlinesOf } from '../../src/control/deadlines.ts';

/** A timer that should wait for longer waits for 1 ms. */
const longestMs = 2 ** 31 - 1;
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000 };

/** Every key that says how long the node waits for something. */
const times = Object.entries<Key>(keys).filter(([, { unit = '', unused }]) => unit in unitsMs && !unused);

/** A config in which each of them is as long as it may be. */
const longest = () => {
  const env = times.map(([name, { maximum }]) => [`DISTRIBUTOR__${envNameOf(name)}`, String(maximum)]);
  return loadConfig({ env: { ...Object.fromEntries(env), DISTRIBUTOR__LOGS__FILE__PATH: './logs' }, cwd: tmpdir() });
};

describe('deadlines', () => {
  it('can all be waited for by a timer, at the maxima of the config', () => {
    expect(times.map(([name]) => name)).to.include.members(['publicApi.workerTimeoutMs', 'publicApi.lameDuckSec']);
    for (const [name, { unit = '', maximum = Number.POSITIVE_INFINITY }] of times) {
      expect(maximum * (unitsMs[unit] ?? Number.NaN), name).to.be.at.most(longestMs);
    }
    for (const [name, ms] of Object.entries(deadlinesOf(longest()))) expect(ms, name).to.be.at.most(longestMs);
  });

  it('can all be waited for where the machine adds them up', () => {
    const config = { publicApi: 'running', workerId: 0, buckets: null } as const;
    const context = { config, record: emptyRecord, deadlines: deadlinesOf(longest()) };
    const delays = Object.entries(nodeMachine.implementations.delays);
    expect(delays.length).to.be.greaterThan(5);
    for (const [name, delay] of delays) {
      if (typeof delay !== 'function') throw new Error(`${name} is not derived from the deadlines`);
      expect(delay({ context } as unknown as Parameters<typeof delay>[0], {} as never), name).to.be.within(
        1,
        longestMs,
      );
    }
  });

  it('add up to a timeout that systemd accepts', () => {
    const stoppingMs: number[] = [];
    const manager = {
      ready() {},
      status() {},
      end() {},
      stopping: (_: string, ms: number) => void stoppingMs.push(ms),
    };
    const from = { node: 'running', publicApi: 'running' } as const;
    const step = { type: 'step', from, to: { node: 'shuttingDown', publicApi: 'stopping' } };
    const node = { observe: (listener: (observation: unknown) => void) => listener(step) };
    notifyServiceManager(
      node as unknown as Parameters<typeof notifyServiceManager>[0],
      manager,
      deadlinesOf(longest()),
    );
    expect(stoppingMs).to.have.length(1);
    expect(stoppingMs[0]).to.be.at.most(longestMs);
  });
});
