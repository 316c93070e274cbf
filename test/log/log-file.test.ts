// The log on disk: rotation, and disks that are full, missing or hung.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LogFile, type LogFileOptions } from '../../src/log/log-file.ts';
import { until } from '../support/until.ts';

describe('log-file', () => {
  let root: string;
  let path: string;
  let now: Date;
  let opened: LogFile[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'logs-'));
    path = join(root, 'deep', 'logs');
    now = new Date(2026, 10, 23, 8);
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((file) => file.close(1000)));
    rmSync(root, { recursive: true, maxRetries: 5 });
  });

  function start(more: Partial<LogFileOptions> = {}): LogFile {
    const file = new LogFile({
      ...{ path, name: 'n', frequency: 'daily', maxFiles: 10, archive: false, maxSize: 1_000_000 },
      ...{ writeTimeoutMs: 60_000, retryMs: 20, now: () => now.getTime() },
      ...more,
    });
    opened.push(file);
    return file;
  }

  const files = () => (existsSync(path) ? readdirSync(path).sort() : []);
  const text = (name: string) => readFileSync(join(path, name), 'utf8');
  const reasons = (file: LogFile) => file.conditions.map(({ reason }) => reason);

  it('creates its folder, keeps lines in order, and appends after a restart', async () => {
    const file = start();
    for (let line = 0; line < 1000; line += 1) file.write(`${line}\n`);
    expect(await file.close(5000)).to.deep.equal({ isStuck: false });
    const again = start();
    again.write('1000\n');
    await again.close(5000);
    expect(files()).to.deep.equal(['n-2026-11-23.log']);
    expect(text('n-2026-11-23.log').split('\n').slice(0, -1).map(Number)).to.deep.equal([...Array(1001).keys()]);
  });

  it('starts a file for each period, and keeps a limited number', async () => {
    const file = start({ frequency: 'hourly', maxFiles: 2 });
    for (const hour of [8, 9, 10]) {
      now = new Date(2026, 10, 23, hour);
      file.write(`at ${hour}\n`);
      await until(() => files().includes(`n-2026-11-23-${String(hour).padStart(2, '0')}.log`));
    }
    await until(() => files().length === 2);
    await file.close(5000);
    expect(text('n-2026-11-23-10.log')).to.equal('at 10\n');
  });

  it('starts a new file when one is full, never within a line', async () => {
    const file = start({ maxSize: 100 });
    for (let line = 0; line < 9; line += 1) file.write(`${line} ${'x'.repeat(37)}\n`);
    file.write(`${'long'.repeat(50)}\n`);
    file.write('last\n');
    await file.close(5000);
    const names = files();
    expect(names.length).to.be.greaterThan(4);
    const all = names
      .sort((a, b) => Number(/\.(\d+)\./.exec(a)?.[1] ?? 0) - Number(/\.(\d+)\./.exec(b)?.[1] ?? 0))
      .map(text);
    for (const one of all)
      expect(one)
        .to.match(/\n$/)
        .and.satisfy((it: string) => it.length <= 201);
    expect(all.join('').split('\n')).to.have.lengthOf(12);
    expect(all.join('')).to.match(/^0 x+\n1 x+\n2 /);
  });

  it('recreates its folder after it was removed', async () => {
    const file = start();
    file.write('one\n');
    await until(() => files().length === 1);
    rmSync(path, { recursive: true });
    file.write('two\n');
    await file.close(5000);
    expect(text('n-2026-11-23.log')).to.equal('two\n');
  });

  it('queues lines that cannot be written, raises a condition, and writes them after the repair', async () => {
    writeFileSync(join(root, 'deep'), 'in the way');
    const file = start();
    file.write('one\n');
    await until(() => reasons(file)[0] === 'WriteFailed');
    file.write('two\n');
    expect(file.conditions[0]).to.include({ type: 'LogNotWritten' });
    expect(file.conditions[0]?.message).to.match(/is not written: E/);
    rmSync(join(root, 'deep'));
    await until(() => file.conditions.length === 0);
    await file.close(5000);
    expect(text('n-2026-11-23.log')).to.equal('one\ntwo\n');
  });

  it('does not write to a path that is not a file', async () => {
    execFileSync('mkdir', ['-p', path]);
    execFileSync('mkfifo', [join(path, 'n-2026-11-23.log')]);
    const file = start();
    file.write('one\n');
    await until(() => reasons(file)[0] === 'WriteFailed');
    expect(await file.close(100)).to.deep.equal({ isStuck: false });
  });

  it('counts dropped lines while the disk is full, and logs the count afterwards', async () => {
    let isFull = true;
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const openFile: typeof open = async (...args) => {
      const handle = await open(...args);
      const { write } = handle;
      // Half of it still fits.
      if (isFull) {
        let once = false;
        handle.write = (async (bytes: Buffer) => {
          if (once) throw full;
          once = true;
          return Reflect.apply(write, handle, [bytes, 0, 5]);
        }) as typeof write;
      }
      return handle;
    };
    const file = start({ openFile, maxSize: 4_000_000 });
    file.write('the first line\n');
    await until(() => reasons(file)[0] === 'WriteFailed');
    for (let line = 0; line < 3000; line += 1) file.write(`${'x'.repeat(999)}\n`);
    expect(file.conditions[0]?.message).to.match(/ENOSPC.*; \d+ lines lost so far/);
    isFull = false;
    await until(() => file.conditions.length === 0);
    file.write('the last line\n');
    await file.close(5000);
    const lines = text('n-2026-11-23.log').trim().split('\n');
    expect(lines[0]).to.equal('the first line');
    expect(lines.at(-1)).to.equal('the last line');
    const { dropped } = JSON.parse(lines.at(-2) ?? '');
    expect(lines.filter((line) => line.startsWith('xxx'))).to.have.lengthOf(3000 - dropped);
  });

  it('raises a condition when the disk hangs, does not block, and gives up at the end', async () => {
    let comeBack = (): void => {};
    const hung = new Promise<void>((resolve) => {
      comeBack = resolve;
    });
    const openFile: typeof open = async (...args) => {
      await hung;
      return open(...args);
    };
    const file = start({ openFile, writeTimeoutMs: 20 });
    for (let line = 0; line < 100; line += 1) file.write(`${line}\n`);
    await until(() => reasons(file)[0] === 'NoAnswer');
    expect(file.conditions[0]?.message).to.match(/has not answered for 20 ms/);
    expect(await file.close(20)).to.deep.equal({ isStuck: true });
    comeBack();
    await until(() => file.conditions.length === 0);
    expect(await file.close(5000)).to.deep.equal({ isStuck: false });
    expect(text('n-2026-11-23.log').split('\n')).to.have.lengthOf(101);
  });

  it('keeps writing when old files cannot be compressed or removed, and raises a condition', async () => {
    execFileSync('mkdir', ['-p', join(path, 'n-2026-11-22.log')]);
    const file = start({ archive: true });
    file.write('one\n');
    await until(() => reasons(file)[0] === 'NotTidied');
    expect(text('n-2026-11-23.log')).to.equal('one\n');
  });
});
