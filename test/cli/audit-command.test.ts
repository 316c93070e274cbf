// The subcommand `audit` as a real process: which entries it shows, with rotated files and torn lines.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import { auditText, filterOf, parseSince, parseStatus } from '../../src/cli/audit-lines.ts';
import type { AuditEntry } from '../../src/operator/audit/audit-entry.ts';
import { begin, bin, run } from './run.ts';

const before = { node: 'running', publicApi: 'running', generation: 6 } as const;
const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ at: '2026-11-23T08:00:00.000Z', from: '127.0.0.1', kind: 'access', sub: 'alice', jti: null, method: 'POST' },
  ...{ command: 'set-worker', input: { workerId: 3 }, status: 200, detail: null },
  ...{ before, after: { ...before, generation: 7 } },
  ...more,
});
const refused = entry({
  ...{ at: '2026-11-23T09:00:00.000Z', command: null, method: 'GET', kind: null, sub: null, status: 401, input: null },
  ...{ detail: 'The token has expired', before: null, after: null },
});
const stopped = entry({
  ...{ at: '2026-11-23T10:00:00.000Z', command: 'stop-api', sub: 'bob', kind: 'request', jti: 'j1', input: {} },
  after: { ...before, publicApi: 'stopped', generation: 7 },
});
const summary = { count: 9000, since: refused.at, until: '2026-11-23T09:01:00.000Z', details: { expired: 9000 } };
const flood = entry({
  ...refused,
  ...{ at: summary.until, method: '', detail: '9000 further tokens were refused' },
  summary: { ...summary, from: { '192.0.2.1': 8000, others: 1000 } },
});

describe('cli audit', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'cli-audit-'));
    mkdirSync(join(cwd, 'local'));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const line = (value: object) => `${JSON.stringify(value)}\n`;
  const write = (name: string, text: string) => writeFileSync(join(cwd, 'local', name), text);
  const audit = (...args: string[]) => run(['audit', ...args], { cwd });

  it('shows the log named by the local config: rotated files first, torn lines counted', async () => {
    write('audit-2026-11-23T08-30-00.000Z.jsonl', line(entry()));
    write('audit.jsonl', `${line(refused)}{"at":"2026-\n${line({ at: refused.at, msg: 'not ours' })}${line(stopped)}`);
    const [text, json, last, none] = await Promise.all([
      audit(),
      audit('--output', 'json', '--since', '2026-11-23T08:30Z'),
      audit('-n', '1', '-o', 'json'),
      audit('--sub', 'carol'),
    ]);
    expect(text).to.deep.equal({
      code: 0,
      stdout: `${[entry(), refused, stopped].map(auditText).join('\n')}\n`,
      stderr: '2 lines could not be read: the node was killed while writing them\n',
    });
    expect(json.stdout).to.equal(line(refused) + line(stopped));
    expect(last.stdout).to.equal(line(stopped));
    expect(none).to.deep.include({ code: 0, stdout: '' });
  });

  it('reports an empty log, an unreadable one, and invalid options', async () => {
    const [empty, elsewhere, wrong] = await Promise.all([
      audit(),
      audit('--file', 'local'),
      audit('--since', 'yesterday'),
    ]);
    expect(empty).to.deep.include({ code: 0, stdout: '' });
    expect(empty.stderr).to.match(/^The audit log .*local\/audit\.jsonl is empty\n$/);
    expect(elsewhere.code).to.equal(40);
    expect(elsewhere.stderr).to.match(/^The audit log .*local could not be read: EISDIR/);
    expect(wrong.code).to.equal(40);
    expect(wrong.stderr).to.contain('like 30m, 12h or 7d');
  });

  it('follows the log until a signal ends it', async () => {
    write('audit.jsonl', line(entry()));
    const child = spawn(process.execPath, [bin, 'audit', '--follow', '--output', 'json'], { cwd });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).to.equal(line(entry()).trimEnd());
    appendFileSync(join(cwd, 'local', 'audit.jsonl'), line(stopped).slice(0, 40));
    appendFileSync(join(cwd, 'local', 'audit.jsonl'), line(stopped).slice(40));
    expect((await lines.next()).value).to.equal(line(stopped).trimEnd());
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).to.equal(0);
  });

  it('exits with 0 when the reader of its output has gone', async () => {
    write('audit.jsonl', line(entry()));
    const following = begin(['audit', '--follow'], { cwd });
    await following.printed('alice');
    following.child.stdout?.destroy();
    appendFileSync(join(cwd, 'local', 'audit.jsonl'), line(stopped));
    const [code] = await once(following.child, 'exit');
    expect(code).to.equal(0);
  });

  it('prints an entry as one line: time, status, sender, input and change of state', () => {
    expect([entry(), refused, stopped, flood].map(auditText)).to.deep.equal([
      '2026-11-23 08:00:00.000Z  200  set-worker   alice (access token) from 127.0.0.1  {"workerId":3}  generation 6 → 7',
      '2026-11-23 09:00:00.000Z  401  GET          unknown from 127.0.0.1  The token has expired',
      '2026-11-23 10:00:00.000Z  200  stop-api     bob (request token) from 127.0.0.1  public API running → stopped, generation 6 → 7',
      '2026-11-23 09:01:00.000Z  401               since 2026-11-23 09:00:00.000Z  9000 further tokens were refused  192.0.2.1: 8000, others: 1000',
    ]);
    expect(auditText({ ...flood, status: 403, sub: 'dashboard' })).to.contain(
      'since 2026-11-23 09:00:00.000Z by dashboard  9',
    );
    expect(auditText({ at: stopped.at, lost: 3 })).to.equal(
      '2026-11-23 10:00:00.000Z  3 entries were lost: they could not be written to disk',
    );
    expect(auditText(entry({ method: 'SIGTERM', command: 'shutdown', input: {}, after: before, from: null }))).to.equal(
      '2026-11-23 08:00:00.000Z  200  shutdown     by SIGTERM',
    );
    const buckets = Array.from({ length: 5000 }, (_, index) => `1:${index}`);
    const long = auditText(entry({ input: { buckets } }));
    expect(long)
      .to.match(/… \(4\d{4} characters\)/)
      .and.to.have.length.below(400);
  });

  it('keeps entries that match the filter, and every line that reports a loss', () => {
    const lost = { at: stopped.at, lost: 3 };
    const all = [entry(), refused, stopped, flood, lost];
    const shown = (filter: Parameters<typeof filterOf>[0]) => all.filter(filterOf(filter));
    expect(shown({})).to.deep.equal(all);
    expect(shown({ command: 'stop-api' })).to.deep.equal([stopped, lost]);
    expect(shown({ sub: 'alice' })).to.deep.equal([entry(), lost]);
    expect(shown({ status: '4xx' })).to.deep.equal([refused, flood, lost]);
    expect(shown({ status: '401', since: Date.parse(flood.at) })).to.deep.equal([flood, lost]);
  });

  it('parses times, ages and statuses', () => {
    const now = Date.parse('2026-11-23T08:00:00Z');
    expect(parseSince('90m', undefined, now)).to.equal(now - 5_400_000);
    expect(parseSince('2026-11-23T08:00Z')).to.equal(now);
    expect(parseSince('2026-11-23 09:00:00+01:00')).to.equal(now);
    expect(parseSince('2026-11-23')).to.equal(Date.parse('2026-11-23T00:00:00Z'));
    for (const text of ['', '5', '2026-13-01', '23.11.2026', 'yesterday']) {
      expect(() => parseSince(text), text).to.throw(InvalidArgumentError);
    }
    for (const text of ['200', '4xx']) expect(parseStatus(text)).to.equal(text);
    for (const text of ['', 'xx', '20', '2xxx', '999']) expect(() => parseStatus(text)).to.throw(InvalidArgumentError);
  });
});
