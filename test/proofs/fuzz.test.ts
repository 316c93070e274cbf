// The short form of the proof that nothing thrown at either port breaks the node; `npm run prove:fuzz` is the long one.
import { expect } from 'chai';
import { proveFuzz } from './fuzz.ts';
import { broken } from './proof.ts';

describe('Nothing thrown at it breaks it', () => {
  it('malformed and hostile requests on both ports', async () => {
    const findings = await proveFuzz({ seed: 1, requests: 600, clients: 32, judged: false }, () => {});
    expect(broken(findings)).to.deep.equal([]);
  }).timeout(60_000);
});
