// The memory of used request tokens: once each, never more than fit, forgotten only when too old anyway.
import { expect } from 'chai';
import { usedTokensInMemory } from '../../src/operator/used-tokens.ts';

describe('used tokens in memory', () => {
  it('are taken once, also by two at the same time', async () => {
    const used = usedTokensInMemory({ max: 10, now: () => 0 });
    expect(await Promise.all([used.take('a', 10), used.take('a', 10), used.take('b', 10)])).to.deep.equal([
      'taken',
      'replayed',
      'taken',
    ]);
  });

  it('are forgotten when they have expired, one by one', async () => {
    let now = 0;
    const used = usedTokensInMemory({ max: 10, now: () => now });
    await used.take('later', 20);
    await used.take('soon', 10);
    now = 10;
    expect(await used.take('soon', 30)).to.equal('replayed');
    now = 11;
    expect(await used.take('soon', 30)).to.equal('taken');
    expect(await used.take('later', 30)).to.equal('replayed');
    now = 21;
    expect(await used.take('later', 30)).to.equal('taken');
  });

  it('refuse rather than forget when they are too many, and still know those they have', async () => {
    let now = 0;
    const used = usedTokensInMemory({ max: 2, now: () => now });
    for (const key of ['a', 'b']) await used.take(key, 10);
    expect([await used.take('c', 10), await used.take('a', 10)]).to.deep.equal(['full', 'replayed']);
    now = 11;
    expect(await used.take('c', 20)).to.equal('taken');
  });
});
