// Who is still owed an answer when a node wants to leave.
import { expect } from 'chai';
import type Koa from 'koa';
import { UnderWay } from '../../../src/operator/http/under-way.ts';
import { Gate } from '../../support/gate.ts';
import { turns } from '../../support/until.ts';

/** Longer than any test may take. */
const forEver = 600_000;

describe('requests under way', () => {
  const begin = (underWay: UnderWay, complete: boolean, until: Gate) =>
    underWay.following({ req: { complete } } as Koa.Context, () => until.pass());

  it('are waited for until all middleware has finished, even with an error', async () => {
    const underWay = new UnderWay();
    await underWay.answered(forEver);
    const [first, second] = [new Gate(), new Gate()];
    for (const gate of [first, second]) gate.hold();
    const asking = [begin(underWay, true, first), begin(underWay, false, second)];
    let isAnswered = false;
    const answered = underWay.answered(forEver).then(() => {
      isAnswered = true;
    });
    first.release();
    await asking[0];
    await turns(3);
    expect(isAnswered).to.equal(false);
    second.fail('the client has gone');
    await Promise.allSettled(asking);
    await answered;
  });

  it('with an incomplete body are waited for up to the limit', async () => {
    const underWay = new UnderWay();
    const gate = new Gate();
    gate.hold();
    const asking = begin(underWay, false, gate);
    await underWay.answered(20);
    gate.release();
    await asking;
  });
});
