// Commands at random, by a seed: the same seed gives the same ones.
import fc from 'fast-check';
import type { Command } from '../../machines/commands.ts';
import type { Operation } from './linearizable.ts';

/** Few values, so that commands often set what is set already. */
const workerId = fc.integer({ min: 0, max: 3 });
const buckets = fc.option(fc.uniqueArray(fc.constantFrom('1:0', '1:1', '2:7'), { minLength: 1 }), { nil: undefined });

export const randomCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ type: 'stop-api' } as const) },
  { weight: 3, arbitrary: fc.constant({ type: 'start-api' } as const) },
  { weight: 2, arbitrary: workerId.map((id) => ({ type: 'set-worker', workerId: id }) as const) },
  {
    weight: 2,
    arbitrary: buckets.map((ids) => ({ type: 'set-buckets', ...(ids && { buckets: ids }) }) as const),
  },
);

export const randomOperation: fc.Arbitrary<Operation['command']> = fc.oneof(
  { weight: 9, arbitrary: randomCommand },
  { weight: 2, arbitrary: fc.constant({ type: 'read' } as const) },
);

/** One value of this kind for a seed. */
export function sampleOf<T>(arbitrary: fc.Arbitrary<T>, seed: number): T {
  const [value] = fc.sample(arbitrary, { seed, numRuns: 1 });
  return value as T;
}
