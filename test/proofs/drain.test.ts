// The short form of the proof that stops, starts and shutdowns cut no response short; `npm run prove:drain` is the long one.
import { expect } from 'chai';
import { proveDrain } from './drain.ts';
import { broken } from './proof.ts';

describe('Viewers do not notice', () => {
  it('stops and starts, an end under load, a dropped bucket, hostile neighbours', async () => {
    const findings = await proveDrain(
      { workers: [2], rounds: 1, clients: 30, hostileSec: 1, idleGraceMs: 20_000, ends: ['SIGTERM'], judged: false },
      () => {},
    );
    expect(broken(findings)).to.deep.equal([]);
  }).timeout(180_000);
});
