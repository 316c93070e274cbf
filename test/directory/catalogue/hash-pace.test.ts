// Hashing is limited to so many bytes per second.
import { expect } from 'chai';
import { hashPace } from '../../../src/directory/catalogue/hash-pace.ts';
import { turns } from '../../support/until.ts';

describe('the pace of hashing', () => {
  it('pauses after a read that was too fast, until it is aborted', async () => {
    const stopping = new AbortController();
    const pause = hashPace(
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

  it('has no pause without a limit, or below it', async () => {
    const { signal } = new AbortController();
    const paused = Promise.all([hashPace(0, signal)(1e12), hashPace(1e12, signal)(1000)]).then(() => 'went on');
    expect(await Promise.race([paused, turns(100).then(() => 'pauses')])).to.equal('went on');
  });
});
