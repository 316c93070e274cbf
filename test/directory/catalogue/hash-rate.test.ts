// Hashing is limited to a number of bytes per second.
import { expect } from 'chai';
import { limitHashRate } from '../../../src/directory/catalogue/hash-rate.ts';
import { turns } from '../../support/until.ts';

describe('the rate of hashing', () => {
  it('pauses after a read that was too fast, until it is aborted', async () => {
    const stopping = new AbortController();
    const pause = limitHashRate(
      1,
      stopping.signal,
    )(1_000_000).then(
      () => 'went on',
      (error: Error) => error.name,
    );
    expect(await Promise.race([pause, turns(100).then(() => 'pauses')])).to.equal('pauses');
    stopping.abort();
    expect(await pause).to.equal('AbortError');
  });

  it('does not pause without a limit or below it', async () => {
    const { signal } = new AbortController();
    const paused = Promise.all([limitHashRate(0, signal)(1e12), limitHashRate(1e12, signal)(1000)]).then(
      () => 'went on',
    );
    expect(await Promise.race([paused, turns(100).then(() => 'pauses')])).to.equal('went on');
  });
});
