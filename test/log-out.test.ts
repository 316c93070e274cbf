// Log lines into a pipe that nobody reads: the process goes on, ends, and says what was lost.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';

const logModule = new URL('../src/log.js', import.meta.url).href;

/** Logs far more than a pipe holds; then a line for each line on its stdin; ends with its stdin. */
const flood = `
  import { createLog } from ${JSON.stringify(logModule)};
  const log = await createLog('info');
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
  it('stops neither the event loop nor the exit when nobody reads', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', flood], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [turns] = await once(child.stdout, 'data');
    const [code] = await once(child, 'exit');
    child.stderr.resume();
    expect(code).to.equal(0);
    expect(Number(turns)).to.be.greaterThan(5);
  });

  it('gives whole lines to a reader who comes late, and says how many were dropped', async () => {
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
