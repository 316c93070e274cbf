// A wait of a test that gives up says what it waited for, what it saw instead, and where it was asked for.
import { expect } from 'chai';
import { inTime, until } from './until.ts';

const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('It was not given up'),
    (error: Error) => error,
  );

describe('a wait of a test', () => {
  it('ends when its condition holds', async () => {
    let polls = 0;
    await until(() => {
      polls += 1;
      return polls === 3;
    });
    expect(polls).to.equal(3);
    expect(await inTime('a value', Promise.resolve(7))).to.equal(7);
  });

  it('says what it waited for and where when it gives up', async () => {
    let polls = 0;
    const error = await failureOf(
      until(
        () => {
          polls += 1;
          return polls < 0;
        },
        { limitMs: 20, seen: () => (polls > 0 ? 'some polls' : 'none') },
      ),
    );
    expect(error.message).to.match(
      /^Gave up after 20 ms, waiting for \(\) => \{ .*polls < 0; \}; last seen: some polls$/,
    );
    expect(error.stack).to.contain('until.test').and.contain('polls < 0');
  });

  it('gives up on a condition that is never answered', async () => {
    const { message } = await failureOf(until(() => new Promise<boolean>(() => {}), { limitMs: 20 }));
    expect(message).to.match(/^Gave up after 20 ms, waiting for \(\) => new Promise/);
  });

  it('fails as its condition fails', async () => {
    const { message } = await failureOf(until(() => Promise.reject(new Error('no answer'))));
    expect(message).to.equal('no answer');
  });
});
