// Floods of refusals: a few are told one by one, the rest in one entry, and nothing else is held back.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { AuditEntry } from '../../../src/operator/audit/audit-entry.ts';
import { floodGate } from '../../../src/operator/audit/audit-floods.ts';
import { until } from '../../support/until.ts';

const at = (second: number) => new Date(second * 1000).toISOString();
const refusal = (second: number, from = '192.0.2.1', detail = 'The token has expired'): AuditEntry => ({
  ...{ at: at(second), from, kind: null, sub: null, jti: null, method: 'POST', command: 'stop-api', input: null },
  ...{ status: 401, detail, before: null, after: null },
});

describe('audit floods', () => {
  let told: AuditEntry[];
  beforeEach(() => {
    told = [];
  });
  const gate = (singly: number, intervalMs: number) =>
    floodGate((entry) => void told.push(entry), { singly, intervalMs });

  it('are told singly at first, then in one entry with counts', () => {
    const { audit, flush } = gate(2, 60_000);
    for (let second = 0; second < 10; second += 1) void audit(refusal(second, `192.0.2.${second % 4 === 0 ? 1 : 2}`));
    void audit(refusal(10, '192.0.2.2', 'The token is not a signed JWT'));
    expect(told).to.deep.equal([refusal(0, '192.0.2.1'), refusal(1, '192.0.2.2')]);
    flush();
    expect(told.slice(2)).to.deep.equal([
      {
        ...refusal(10),
        ...{ from: null, method: '', command: null, detail: '9 further requests were refused' },
        summary: {
          count: 9,
          since: at(2),
          until: at(10),
          from: { '192.0.2.2': 7, '192.0.2.1': 2 },
          details: { 'The token has expired': 8, 'The token is not a signed JWT': 1 },
        },
      },
    ]);
    flush();
    expect(told).to.have.length(3);
  });

  it('that go on are one entry an interval; once they are over, refusals are told singly again', async () => {
    const { audit } = floodGate(
      (entry) => {
        told.push(entry);
        // The flood goes on right behind its first summary.
        if (told.length === 2) void audit(refusal(6));
      },
      { singly: 1, intervalMs: 20 },
    );
    for (let second = 0; second < 5; second += 1) void audit(refusal(second));
    await until(() => told.length === 3);
    expect(told.slice(1).map(({ summary }) => summary?.count)).to.deep.equal([4, 1]);
    expect(told[1]?.from).to.equal('192.0.2.1');
    await sleep(40);
    void audit(refusal(9));
    expect(told[3]).to.deep.equal(refusal(9));
  });

  it('are summed up whatever their status, each status by itself: a flood of one does not hide another', () => {
    const { audit, flush } = gate(1, 60_000);
    const forbidden = { ...refusal(0), status: 403, sub: 'dashboard', detail: 'The token is for reading only' };
    for (let second = 0; second < 5000; second += 1) void audit({ ...forbidden, at: at(second) });
    void audit({ ...refusal(6000), status: 409, sub: 'alice', detail: 'Already stopped' });
    expect(told.map(({ status }) => status)).to.deep.equal([403, 409]);
    flush();
    expect(told).to.have.length(3);
    expect(told[2]).to.deep.include({ status: 403, sub: 'dashboard', detail: '4999 further requests were refused' });
    expect(told[2]?.summary?.details).to.deep.equal({ 'The token is for reading only': 4999 });
    // A command that has failed is none of them.
    for (let second = 0; second < 3; second += 1) void audit({ ...refusal(second), status: 500 });
    expect(told).to.have.length(6);
  });

  it('of any size stay small, in memory and in the log', () => {
    const { audit, flush } = gate(0, 60_000);
    for (let index = 0; index < 5000; index += 1) void audit(refusal(index, `address ${index}`, `reason ${index}`));
    flush();
    const [entry] = told;
    expect(entry?.summary?.count).to.equal(5000);
    expect(Object.keys(entry?.summary?.from ?? {})).to.have.length.within(1, 11);
    expect(Object.values(entry?.summary?.details ?? {}).reduce((sum, count) => sum + count, 0)).to.equal(5000);
  });

  it('hold no command back, nor what it resolves with', async () => {
    const pause = new Promise<void>((resolve) => setImmediate(resolve));
    const { audit } = floodGate(() => pause, { singly: 0, intervalMs: 60_000 });
    void audit(refusal(0));
    expect(audit({ ...refusal(1), status: 200 })).to.equal(pause);
  });
});
