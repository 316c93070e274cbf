// The short form of the proof that nothing thrown at either port breaks the node; `npm run prove:fuzz` is the long one.
import { expect } from 'chai';
import { proveFuzz } from './fuzz.ts';
import { broken } from './proof.ts';

describe('Nothing thrown at it breaks it', () => {
  it('malformed and hostile requests on both ports', async () => {
    const waits = { parts: [0.5, 1], trials: 1 };
    const findings = await proveFuzz({ seed: 1, requests: 600, clients: 32, judged: false, waits }, () => {});
    expect(broken(findings)).to.deep.equal([]);
  }).timeout(180_000);
});
