// Floods of refusals: a few individual entries, one summary for the rest; other entries are not delayed.
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
  let written: AuditEntry[];
  beforeEach(() => {
    written = [];
  });
  const gate = (singly: number, intervalMs: number) =>
    floodGate((entry) => void written.push(entry), { singly, intervalMs });

  it('are a few individual entries, then one summary with counts', () => {
    const { audit, flush } = gate(2, 60_000);
    for (let second = 0; second < 10; second += 1) void audit(refusal(second, `192.0.2.${second % 4 === 0 ? 1 : 2}`));
    void audit(refusal(10, '192.0.2.2', 'The token is not a signed JWT'));
    expect(written).to.deep.equal([refusal(0, '192.0.2.1'), refusal(1, '192.0.2.2')]);
    flush();
    expect(written.slice(2)).to.deep.equal([
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
    expect(written).to.have.length(3);
  });

  it('that last are one summary per interval; after them refusals are individual entries again', async () => {
    const { audit } = floodGate(
      (entry) => {
        written.push(entry);
        // The flood goes on right behind its first summary.
        if (written.length === 2) void audit(refusal(6));
      },
      { singly: 1, intervalMs: 20 },
    );
    for (let second = 0; second < 5; second += 1) void audit(refusal(second));
    await until(() => written.length === 3);
    expect(written.slice(1).map(({ summary }) => summary?.count)).to.deep.equal([4, 1]);
    expect(written[1]?.from).to.equal('192.0.2.1');
    await sleep(40);
    void audit(refusal(9));
    expect(written[3]).to.deep.equal(refusal(9));
  });

  it('are summarized per status: a flood of one status does not hide another', () => {
    const { audit, flush } = gate(1, 60_000);
    const forbidden = { ...refusal(0), status: 403, sub: 'dashboard', detail: 'The token is for reading only' };
    for (let second = 0; second < 5000; second += 1) void audit({ ...forbidden, at: at(second) });
    void audit({ ...refusal(6000), status: 409, sub: 'alice', detail: 'Already stopped' });
    expect(written.map(({ status }) => status)).to.deep.equal([403, 409]);
    flush();
    expect(written).to.have.length(3);
    expect(written[2]).to.deep.include({ status: 403, sub: 'dashboard', detail: '4999 further requests were refused' });
    expect(written[2]?.summary?.details).to.deep.equal({ 'The token is for reading only': 4999 });
    // A command that has failed is none of them.
    for (let second = 0; second < 3; second += 1) void audit({ ...refusal(second), status: 500 });
    expect(written).to.have.length(6);
  });

  it('of any size take bounded memory and log', () => {
    const { audit, flush } = gate(0, 60_000);
    for (let index = 0; index < 5000; index += 1) void audit(refusal(index, `address ${index}`, `reason ${index}`));
    flush();
    const [entry] = written;
    expect(entry?.summary?.count).to.equal(5000);
    expect(Object.keys(entry?.summary?.from ?? {})).to.have.length.within(1, 11);
    expect(Object.values(entry?.summary?.details ?? {}).reduce((sum, count) => sum + count, 0)).to.equal(5000);
  });

  it('delay no command, and pass its promise on', async () => {
    const pause = new Promise<void>((resolve) => setImmediate(resolve));
    const { audit } = floodGate(() => pause, { singly: 0, intervalMs: 60_000 });
    void audit(refusal(0));
    expect(audit({ ...refusal(1), status: 200 })).to.equal(pause);
  });
});
