// Log lines to a pipe without a reader: the process keeps running, exits, and reports dropped lines.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { until } from '../support/until.ts';

const logModule = new URL('../../src/log/log.js', import.meta.url).href;

/** The log of a program, on its stderr. */
const openedAt = (level: string): string =>
  `import { openLog } from ${JSON.stringify(logModule)};
  const { log } = await openLog({ id: 'n', logs: { console: { level: '${level}' }, file: null } });`;

/** Logs far more than a pipe holds; then a line for each line on its stdin; ends with its stdin. */
const flood = `
  ${openedAt('info')}
  let turns = 0;
  const turning = setInterval(() => { turns += 1; }, 1);
  for (let part = 0; part < 20; part += 1) {
    for (let line = 0; line < 500; line += 1) log.info({ part, line }, 'x'.repeat(300));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  clearInterval(turning);
  console.log(turns);
  for await (const more of process.stdin) log.info(String(more));
  process.exit(0);`;

describe('log-out', () => {
  it('blocks neither the event loop nor the exit when the pipe has no reader', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', flood], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [turns] = await once(child.stdout, 'data');
    const [code] = await once(child, 'exit');
    child.stderr.resume();
    expect(code).to.equal(0);
    expect(Number(turns)).to.be.greaterThan(5);
  });

  it('keeps running when its terminal is stopped or has no reader', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'log-out-'));
    const [program, done] = [join(folder, 'flood.mjs'), join(folder, 'done')];
    const writing = `(await import('node:fs')).writeFileSync(${JSON.stringify(done)}, String(turns))`;
    writeFileSync(program, flood.replace('console.log(turns)', writing).replace('process.stdin', '[]'));
    // A separate terminal without a reader.
    const terminal = spawn('script', ['-qec', `'${process.execPath}' '${program}'`, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await until(() => existsSync(done) && readFileSync(done, 'utf8') !== '');
    expect(Number(readFileSync(done, 'utf8'))).to.be.greaterThan(5);
    terminal.kill('SIGKILL');
    await once(terminal, 'exit');
    rmSync(folder, { recursive: true });
  });

  it('prints level names and one line per entry on a terminal', async () => {
    const program = `${openedAt('http')} log.info({ jti: 'it' }, 'one'); log.http('two'); log.warn('three');`;
    const command = `'${process.execPath}' --input-type=module --eval '${program.replaceAll("'", '"')}'`;
    const terminal = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let text = '';
    for await (const part of terminal.stdout.setEncoding('utf8')) text += part;
    expect(text).to.match(/INFO: one {"jti":"it"}\s+\S+ HTTP: two\s+\S+ WARN: three/);
  });

  it('writes everything to a file, in order, before the exit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'log-out-'));
    const fd = openSync(join(folder, 'log'), 'w');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', flood], {
      stdio: ['ignore', 'ignore', fd],
    });
    const [code] = await once(child, 'exit');
    closeSync(fd);
    const lines = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n');
    rmSync(folder, { recursive: true });
    expect(code).to.equal(0);
    const said = lines.map((line) => JSON.parse(line));
    const numbers = said.filter(({ part }) => part !== undefined).map(({ part, line }) => part * 500 + line);
    expect(numbers).to.deep.equal([...numbers].sort((a, b) => a - b));
    // A disk may be slow: a MiB waits for it at least.
    expect(numbers.length).to.be.greaterThan(2500);
    expect(numbers.length < 10_000 || numbers.at(-1) === 9999).to.equal(true);
  });

  it('delivers whole lines to a late reader, and reports how many were dropped', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', flood], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    await once(child.stdout, 'data');
    let text = '';
    for await (const part of child.stderr.setEncoding('utf8')) {
      text += part;
      if (text.includes('"dropped"')) child.stdin.end();
      else child.stdin.write('more\n');
    }
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).to.include({ part: 0, line: 0 });
    const { dropped } = lines.find((line) => 'dropped' in line);
    expect(lines.filter(({ part }) => part !== undefined)).to.have.lengthOf(10_000 - dropped);
  });
});
