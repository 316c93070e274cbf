// The audit log on disk with disk errors: torn lines, full and hanging disks, files moved away, rotation, floods.
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { AuditEntry } from '../../../src/operator/audit/audit-entry.ts';
import { type AuditFileOptions, openAuditFile } from '../../../src/operator/audit/audit-file.ts';
import { olderFiles, olderName } from '../../../src/operator/audit/audit-folder.ts';
import { type AuditLine, readAudit } from '../../../src/operator/audit/audit-read.ts';
import { until } from '../../support/until.ts';

const moment = { node: 'running', publicApi: 'running', generation: 1 } as const;
const entry = (sub: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ at: '2026-11-23T08:00:00.000Z', from: '127.0.0.1', kind: 'access', sub, jti: null, method: 'POST' },
  ...{ command: 'set-worker', input: { workerId: 1 }, status: 200, detail: null, before: moment, after: moment },
  ...more,
});

/** Takes what is in a pipe. */
function emptied(fd: number): void {
  try {
    while (readSync(fd, Buffer.alloc(65_536)) > 0);
  } catch {
    // Nothing for now.
  }
}

const subOf = (line: AuditLine): string =>
  'torn' in line ? `torn ${line.torn}` : 'lost' in line ? `lost ${line.lost}` : String(line.sub);

describe('audit file', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'audit-'));
    file = join(folder, 'state', 'audit.jsonl');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const opened = (options: Partial<AuditFileOptions> = {}) =>
    openAuditFile({ file, maxBytes: 1_000_000, maxFiles: 3, writeTimeoutMs: 60_000, now: Date.now, ...options });
  const read = async (options: { sinceMs?: number } = {}): Promise<string[]> => {
    const subs: string[] = [];
    for await (const line of readAudit({ file, ...options })) subs.push(subOf(line));
    return subs;
  };

  it('has each entry as one line of JSON, readable by its owner alone', async () => {
    const log = await opened();
    const long = entry('bob', { input: { buckets: Array.from({ length: 5000 }, (_, index) => `1:${index}`) } });
    await Promise.all([log.write(entry('alice')), log.write(long), log.write(entry('line\nbreak'))]);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).to.deep.equal([entry('alice'), long, entry('line\nbreak')]);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(log.conditions).to.deep.equal([]);
  });

  it('has the entry when the write has resolved, without being closed', async () => {
    const log = await opened();
    for (const sub of ['a', 'b', 'c']) {
      await log.write(entry(sub));
      expect((await read()).at(-1)).to.equal(sub);
    }
  });

  it('never holds a token, in any member', async () => {
    const log = await opened();
    const token = `eyJhbGciOiJIUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(43)}`;
    await log.write(entry(token, { detail: `Bearer ${token}`, input: { buckets: [token] } }));
    expect(readFileSync(file, 'utf8')).not.to.contain('aaaa').and.not.to.contain('bbbb');
    expect(await read()).to.deep.equal(['(not shown)']);
  });

  describe('a torn last line', () => {
    it('does not affect the next entry, and is reported as torn', async () => {
      await (await opened()).write(entry('a'));
      appendFileSync(file, '{"at":"2026-11');
      await (await opened()).write(entry('b'));
      expect(await read()).to.deep.equal(['a', 'torn {"at":"2026-11', 'b']);
    });

    it('is skipped, at any byte it was torn', async () => {
      await (await opened()).write(entry('ä'));
      const whole = readFileSync(file);
      for (let length = 1; length < whole.length - 1; length += 7) {
        writeFileSync(file, whole.subarray(0, length));
        await (await opened()).write(entry('b'));
        const subs = await read();
        expect(subs).to.have.length(2);
        expect(subs[0]).to.match(/^torn /);
        expect(subs[1]).to.equal('b');
      }
    });
  });

  describe('its size', () => {
    it('is bounded: files are rotated in order, the oldest removed', async () => {
      // A clock that stands still, and even goes back.
      let now = 1_000_000;
      const log = await opened({ maxBytes: 500, maxFiles: 3, now: () => now-- });
      for (let index = 0; index < 40; index += 1) await log.write(entry(`${index}`));
      const older = await olderFiles(file);
      expect(older).to.have.length(3);
      for (const path of [...older.map((one) => one.path), file]) expect(statSync(path).size).to.be.within(1, 500);
      const subs = await read();
      expect(subs).to.deep.equal(Array.from({ length: subs.length }, (_, index) => `${40 - subs.length + index}`));
      expect(subs.length).to.be.greaterThan(3);
    });

    it('may be exceeded by a single entry, which is kept whole', async () => {
      const log = await opened({ maxBytes: 500 });
      const buckets = Array.from({ length: 500 }, (_, index) => `1:${index}`);
      await log.write(entry('a'));
      await log.write(entry('b', { input: { buckets } }));
      await log.write(entry('c'));
      expect(await read()).to.deep.equal(['a', 'b', 'c']);
      expect(await olderFiles(file)).to.have.length(2);
    });

    it('counts across restarts', async () => {
      for (let index = 0; index < 4; index += 1) await (await opened({ maxBytes: 500 })).write(entry(`${index}`));
      expect(await olderFiles(file)).to.have.length(3);
    });

    it('leaves files alone that are not its own', async () => {
      const log = await opened({ maxBytes: 300, maxFiles: 1 });
      await log.write(entry('a'));
      const others = ['audit-notes.jsonl', 'audit-2026-13-99T08-00-00.000Z.jsonl', 'audit.jsonl.bak'];
      for (const name of others) writeFileSync(join(folder, 'state', name), 'mine');
      for (let index = 0; index < 5; index += 1) await log.write(entry(`${index}`));
      expect(readdirSync(join(folder, 'state'))).to.include.members(others);
      expect(await olderFiles(file)).to.have.length(1);
    });
  });

  describe('a disk that cannot be written', () => {
    const failures: [string, () => void, () => void][] = [
      [
        'is full',
        () => {
          renameSync(file, `${file}.kept`);
          symlinkSync('/dev/full', file);
        },
        () => renameSync(`${file}.kept`, file),
      ],
      [
        'has lost the directory',
        () => renameSync(join(folder, 'state'), join(folder, 'gone')),
        () => renameSync(join(folder, 'gone'), join(folder, 'state')),
      ],
      [
        'has a file in place of the directory',
        () => {
          renameSync(join(folder, 'state'), join(folder, 'gone'));
          writeFileSync(join(folder, 'state'), '');
        },
        () => {
          rmSync(join(folder, 'state'));
          renameSync(join(folder, 'gone'), join(folder, 'state'));
        },
      ],
    ];
    for (const [name, breakIt, repairIt] of failures) {
      it(`because it ${name} is a condition; nothing is lost, and the condition ends with the repair`, async () => {
        const log = await opened();
        await log.write(entry('a'));
        breakIt();
        await log.write(entry('b'));
        await log.write(entry('c'));
        const [condition] = log.conditions;
        expect(condition?.type).to.equal('AuditNotWritten');
        expect(condition?.message).to.match(
          /audit\.jsonl could not be written: E\w+.*waiting for the disk: 2; the node keeps/,
        );
        repairIt();
        await log.write(entry('d'));
        expect(log.conditions).to.deep.equal([]);
        expect(await read()).to.deep.equal(['a', 'b', 'c', 'd']);
      });
    }

    it('is retried without a new entry', async () => {
      const log = await opened();
      rmSync(join(folder, 'state'), { recursive: true });
      await log.write(entry('a'));
      mkdirSync(join(folder, 'state'));
      await until(() => log.conditions.length === 0);
      expect(await read()).to.deep.equal(['a']);
    });

    it('for a long time drops entries, and counts them', async () => {
      const log = await opened();
      rmSync(join(folder, 'state'), { recursive: true });
      const input = { buckets: ['x'.repeat(1_000_000)] };
      for (let index = 0; index < 6; index += 1) await log.write(entry(`${index}`, { input }));
      expect(log.conditions[0]?.message).to.contain('waiting for the disk: 4, 2 are lost');
      mkdirSync(join(folder, 'state'));
      await log.write(entry('small'));
      expect(await read()).to.deep.equal(['0', '1', '2', '3', 'small', 'lost 2']);
      expect(log.conditions).to.deep.equal([]);
    });

    it('because it hangs is waited for once, up to the timeout', async () => {
      mkdirSync(join(folder, 'state'));
      // A pipe without a reader accepts 64 KiB and then blocks its writer.
      execFileSync('mkfifo', [file]);
      const log = await opened({ writeTimeoutMs: 30 });
      await log.write(entry('a', { input: 'x'.repeat(200_000) }));
      expect(log.conditions[0]?.message).to.contain('the disk did not confirm a write within 30 ms');
      const first = await Promise.race([log.write(entry('b')).then(() => 'b'), sleep(20, 'the clock')]);
      expect(first).to.equal('b');
      const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
      await until(() => {
        emptied(reader);
        return log.conditions.length === 0;
      });
      closeSync(reader);
      await log.close();
    });
  });

  it('is read in linear time, even with long lines', async () => {
    mkdirSync(join(folder, 'state'));
    writeFileSync(file, `${JSON.stringify(entry('long', { input: 'x'.repeat(10_000_000) }))}\n`);
    const { concat } = Buffer;
    let copied = 0;
    Buffer.concat = (list, ...rest) => {
      const bytes = concat(list, ...rest);
      copied += bytes.length;
      return bytes;
    };
    try {
      expect(await read()).to.deep.equal(['long']);
    } finally {
      Buffer.concat = concat;
    }
    expect(copied).to.be.lessThan(10_100_000);
  });

  it('is read from a time on without opening older files', async () => {
    const log = await opened();
    await log.write(entry('now'));
    const [early, late] = [olderName(file, 1000), olderName(file, 3000)];
    mkdirSync(early);
    writeFileSync(late, `${JSON.stringify(entry('late'))}\n`);
    expect(await read({ sinceMs: 2000 })).to.deep.equal(['late', 'now']);
    expect(await read({ sinceMs: 4000 })).to.deep.equal(['now']);
  });

  it('is followed across rotations', async () => {
    const log = await opened({ maxBytes: 500, maxFiles: 100 });
    const stop = new AbortController();
    const subs: string[] = [];
    const following = (async () => {
      for await (const line of readAudit({ file, follow: stop.signal })) subs.push(subOf(line));
    })();
    const expected = Array.from({ length: 30 }, (_, index) => `${index}`);
    for (const sub of expected.slice(0, 10)) await log.write(entry(sub));
    await until(() => subs.length === 10);
    for (const sub of expected.slice(10)) await log.write(entry(sub));
    await until(() => subs.length >= 30);
    stop.abort();
    await following;
    expect(subs).to.deep.equal(expected);
  });

  it('is followed without a gap if several files are rotated between two polls', async () => {
    const log = await opened({ maxBytes: 500, maxFiles: 100 });
    const stop = new AbortController();
    const expected = Array.from({ length: 13 }, (_, index) => `${index}`);
    for (const sub of expected.slice(0, 3)) await log.write(entry(sub));
    const subs: string[] = [];
    for await (const line of readAudit({ file, follow: stop.signal })) {
      subs.push(subOf(line));
      // The reader knows which files there were, and has not opened the newest one yet.
      if (subs.length === 1) for (const sub of expected.slice(3)) await log.write(entry(sub));
      if (subs.length === expected.length) stop.abort();
    }
    expect(subs).to.deep.equal(expected);
  });
});
