// What comes in time, what does not, and what fails meanwhile.
import { expect } from 'chai';
import { settlesWithin } from '../../src/base/timeout.ts';

describe('in time', () => {
  it('is what ends before the time is over, and nothing else', async () => {
    expect(await settlesWithin(Promise.resolve(), 60_000)).to.equal(true);
    expect(await settlesWithin(new Promise(() => {}), 1)).to.equal(false);
  });

  it('fails as what is waited for', async () => {
    const failed = await settlesWithin(Promise.reject(new Error('no')), 60_000).catch((error: Error) => error.message);
    expect(failed).to.equal('no');
  });
});
