// The short form of the proof that nothing piles up under load, commands and kills; `npm run prove:soak` is the long one.
import { expect } from 'chai';
import { broken } from './proof.ts';
import { proveSoak } from './soak.ts';

describe('Nothing piles up', () => {
  it('under load, commands and kills', async () => {
    const findings = await proveSoak({ turns: 2, turnSec: 0.5, clients: 20, judged: false }, () => {});
    expect(broken(findings)).to.deep.equal([]);
  }).timeout(180_000);
});
