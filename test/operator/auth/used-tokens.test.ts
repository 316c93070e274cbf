// The memory of used request tokens: once each, never more than fit, forgotten only when too old and for want of room.
import { expect } from 'chai';
import { usedTokensInMemory } from '../../../src/operator/auth/used-tokens.ts';

describe('used tokens in memory', () => {
  it('are taken once, also by two at the same time', async () => {
    const used = usedTokensInMemory({ max: 10, now: () => 0 });
    expect(await Promise.all([used.take('a', 10), used.take('a', 10), used.take('b', 10)])).to.deep.equal([
      'taken',
      'replayed',
      'taken',
    ]);
  });

  it('are forgotten when there is no room and they have expired, one by one', async () => {
    let now = 0;
    const used = usedTokensInMemory({ max: 2, now: () => now });
    await used.take('later', 20);
    await used.take('soon', 10);
    now = 10;
    expect(await used.take('other', 30)).to.equal('full');
    now = 11;
    expect(await used.take('other', 30)).to.equal('taken');
    expect(await used.take('later', 30)).to.equal('replayed');
    now = 21;
    expect(await used.take('later', 30)).to.equal('replayed');
    expect(await used.take('third', 31)).to.equal('taken');
    expect(await used.take('other', 30)).to.equal('replayed');
  });

  it('are still used when the clock has been set back, though they had expired', async () => {
    let now = 0;
    const used = usedTokensInMemory({ max: 10, now: () => now });
    await used.take('a', 300);
    now = 1000;
    expect(await used.take('b', 1300)).to.equal('taken');
    now = 100;
    expect(await used.take('a', 300)).to.equal('replayed');
    expect(await used.take('c', 400)).to.equal('taken');
  });

  it('that were forgotten are refused if the clock is set back', async () => {
    let now = 0;
    const used = usedTokensInMemory({ max: 1, now: () => now });
    await used.take('a', 300);
    now = 301;
    expect(await used.take('b', 601)).to.equal('taken');
    now = 602;
    expect(await used.take('c', 902)).to.equal('taken');
    now = 100;
    expect(await used.take('a', 300)).to.equal('forgotten');
    expect(await used.take('new', 601)).to.equal('forgotten');
    expect(await used.take('c', 902)).to.equal('replayed');
  });

  it('are never forgotten for lack of room: new ones are refused', async () => {
    let now = 0;
    const used = usedTokensInMemory({ max: 2, now: () => now });
    for (const key of ['a', 'b']) await used.take(key, 10);
    expect([await used.take('c', 10), await used.take('a', 10)]).to.deep.equal(['full', 'replayed']);
    now = 11;
    expect(await used.take('c', 20)).to.equal('taken');
  });
});
