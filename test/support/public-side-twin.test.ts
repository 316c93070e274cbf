// The twin keeps the contract of the public side, and stops at its gates.
import { expect } from 'chai';
import { publicSideContract } from '../supervisor/public-side.contract.ts';
import { PublicSideTwin } from './public-side-twin.ts';
import { refuses } from './viewer.ts';

describe('the in-process twin of the public side', () => {
  publicSideContract((options) => {
    const side = new PublicSideTwin(options);
    return { side, index: side.index, badCopies: side.badCopies };
  });

  it('holds an opening at its gate until it is let through', async () => {
    const twin = new PublicSideTwin();
    twin.gates.listen.hold();
    const listening = twin.listen({ patienceMs: 0 });
    await twin.gates.listen.reached();
    expect(twin.port).to.equal(null);
    twin.gates.listen.release();
    await listening;
    expect(twin.port).to.be.a('number');
    await twin.end();
  });

  it('fails a step in the words it was given', async () => {
    const twin = new PublicSideTwin();
    twin.gates.listen.fail('Port 80 is not for you');
    expect(await twin.listen({ patienceMs: 0 }).catch((error: Error) => error.message)).to.equal(
      'Port 80 is not for you',
    );
    await twin.listen({ patienceMs: 0 });
    twin.gates.close.hold();
    const closing = twin.close();
    await twin.gates.close.reached();
    expect(await refuses(twin.port ?? 0)).to.equal(false);
    twin.gates.close.release();
    await closing;
    await twin.end();
  });
});
