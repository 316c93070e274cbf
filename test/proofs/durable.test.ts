// The short form of the proof that nothing acknowledged is lost; `npm run prove:durable` is the long one.
import { expect } from 'chai';
import { proveDurable } from './durable.ts';
import { broken } from './proof.ts';
import { proveTwoNodes } from './two-nodes.ts';

describe('Nothing acknowledged is lost', () => {
  it('when the control process is killed at any instant under a stream of commands', async () => {
    const seed = 1 + Math.floor(Math.random() * 1_000_000_000);
    const findings = await proveDurable({ rounds: 1, clients: 3, seed }, () => {});
    expect(broken(findings)).to.deep.equal([]);
  }).timeout(180_000);

  it('where other nodes are started on the same state directory, from other namespaces where there can be any', async () => {
    expect(broken(await proveTwoNodes({ rounds: 1 }, () => {}))).to.deep.equal([]);
  }).timeout(180_000);
});
