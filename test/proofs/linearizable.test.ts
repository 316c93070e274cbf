// Answers are in order: simultaneous commands in this process and against real ones, and the check shown to find what is wrong.
import { expect } from 'chai';
import { runBatch } from '../support/batches.ts';
import { brokenDispatches } from '../support/broken-dispatch.ts';
import { type OperatorSide, startOperatorSide } from '../support/harness.ts';
import { proveLinearizable } from './linearizable.ts';
import { broken } from './proof.ts';

/** Another one at every run; a failure says which. */
const seed = 1 + Math.floor(Math.random() * 1_000_000_000);

describe('Answers are in order', function () {
  this.timeout(180_000);
  let operator: OperatorSide;

  before(async () => {
    operator = await startOperatorSide({ logLevel: 'silent' });
  });
  after(() => operator.close());

  it('whatever is asked at once, and in whichever order steps end or fail', async () => {
    for (let at = seed; at < seed + 50; at += 1) {
      const { explained, history, order } = await runBatch(operator, at).catch((cause: unknown) => {
        throw new Error(`seed ${at}: not everything was answered`, { cause });
      });
      expect(explained, `seed ${at}:\n${history.around(order)}`).to.equal(true);
    }
  });

  for (const [how, dispatch] of Object.entries(brokenDispatches))
    it(`or else it is found out: a shell that ${how}`, async () => {
      // The same batches at every run, so that it is known that they suffice.
      for (let batches = 100; ; batches += 1) {
        expect(batches).to.be.lessThan(600);
        if (!(await runBatch(operator, batches, dispatch)).explained) return;
      }
    });

  it('from real processes too, with injected faults', async () => {
    const findings = await proveLinearizable(
      { operations: 100, perNode: 100, clients: 4, seed, judged: false },
      () => {},
    );
    expect(broken(findings)).to.deep.equal([]);
  });
});
