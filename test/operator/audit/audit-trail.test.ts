// The way of audit entries onto the disk: commands that were carried out and refusals apart, and shown as one log.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AuditEntry } from '../../../src/operator/audit/audit-entry.ts';
import { readAudit } from '../../../src/operator/audit/audit-read.ts';
import { openAuditTrail } from '../../../src/operator/audit/audit-trail.ts';
import { until } from '../../support/until.ts';

const entry = (second: number, sub: string, status = 200): AuditEntry => ({
  ...{ at: new Date(second * 1000).toISOString(), from: '127.0.0.1', kind: 'access', sub, jti: null, method: 'POST' },
  ...{ command: 'set-worker', input: { workerId: 1 }, status, detail: null, before: null, after: null },
});

describe('audit trail', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-trail-'));
    file = join(folder, 'audit.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const opened = (more: Partial<Parameters<typeof openAuditTrail>[0]> = {}) =>
    openAuditTrail({
      ...{ file, maxBytes: 4096, maxFiles: 1, writeTimeoutMs: 60_000, now: Date.now },
      ...{ floods: { singly: 1_000_000, intervalMs: 60_000 }, ...more },
    });
  async function shown(): Promise<(string | null)[]> {
    const subs: (string | null)[] = [];
    for await (const line of readAudit({ file })) if ('sub' in line) subs.push(line.sub);
    return subs;
  }

  it('keeps entries of commands, done or failed, however many refusals follow', async () => {
    const trail = await opened();
    await trail.audit(entry(0, 'done'));
    await trail.audit(entry(1, 'failed', 500));
    const statuses = [400, 401, 403, 404, 409, 412, 413, 415];
    for (let second = 2; second < 200; second += 1) {
      await trail.audit(entry(second, `refused-${second}`, statuses[second % statuses.length]));
    }
    await trail.close();
    const subs = await shown();
    expect(subs.slice(0, 2)).to.deep.equal(['done', 'failed']);
    // The log of refusals has forgotten its oldest ones.
    expect(subs).to.include('refused-199').and.not.include('refused-2');
  });

  it('is shown as one log, in order', async () => {
    const trail = await opened();
    for (const [second, status] of [200, 409, 401, 200, 403, 200].entries())
      await trail.audit(entry(second, `${second}`, status));
    await trail.close();
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).to.have.length(3);
    expect(await shown()).to.deep.equal(['0', '1', '2', '3', '4', '5']);
  });

  it('is followed as one log, in whichever file entries arrive', async () => {
    const trail = await opened();
    const stop = new AbortController();
    const subs: (string | null)[] = [];
    const following = (async () => {
      for await (const line of readAudit({ file, follow: stop.signal })) if ('sub' in line) subs.push(line.sub);
    })();
    const expected: string[] = [];
    for (const [second, status] of [200, 409, 409, 200, 200, 401].entries()) {
      await trail.audit(entry(second, `${second}`, status));
      expected.push(`${second}`);
      await until(() => subs.length === expected.length);
    }
    stop.abort();
    await following;
    expect(subs).to.deep.equal(expected);
    await trail.close();
  });

  it('reports a condition of the disk once', async () => {
    const trail = await opened();
    rmSync(folder, { recursive: true });
    await trail.audit(entry(0, 'done'));
    await trail.audit(entry(1, 'refused', 409));
    expect(trail.conditions.map(({ type }) => type)).to.deep.equal(['AuditNotWritten']);
    await trail.close();
    folder = mkdtempSync(join(tmpdir(), 'audit-trail-'));
  });
});
