// A promise that settles in time, one that does not, and one that rejects.
import { expect } from 'chai';
import { settlesWithin } from '../../src/base/timeout.ts';

describe('timeout', () => {
  it('is met only by a promise that settles in time', async () => {
    expect(await settlesWithin(Promise.resolve(), 60_000)).to.equal(true);
    expect(await settlesWithin(new Promise(() => {}), 1)).to.equal(false);
  });

  it('rejects with the error of the promise', async () => {
    const failed = await settlesWithin(Promise.reject(new Error('no')), 60_000).catch((error: Error) => error.message);
    expect(failed).to.equal('no');
  });
});
