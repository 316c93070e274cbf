// The short form of the proof that a damaged index heals; `npm run prove:damage` is the long one.
import { expect } from 'chai';
import { proveDamage } from './damage.ts';
import { broken } from './proof.ts';

describe('A damaged index', () => {
  it('is rebuilt by itself, and every object is served again', async () => {
    const seed = 1 + Math.floor(Math.random() * 1_000_000_000);
    const findings = await proveDamage({ rounds: 1, objects: 300, seed }, () => {});
    expect(broken(findings)).to.deep.equal([]);
  }).timeout(180_000);
});
