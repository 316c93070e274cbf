// What SIGHUP does to a node, as real processes: nothing to a service, and the end where its terminal is gone.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Home } from '../support/harness.ts';
import { isAlive } from '../support/is-alive.ts';
import { until } from '../support/until.ts';

const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

describe('SIGHUP', () => {
  let home: Home;
  beforeEach(async () => {
    home = await Home.make({ objects: { 1: 'one' } });
  });
  afterEach(() => home.remove());

  it('changes nothing for a service, however often it comes, and says what is done without it', async () => {
    const node = await home.start();
    try {
      const before = await node.state();
      for (let times = 1; times <= 2; times += 1) {
        node.signal('SIGHUP');
        await until(() => node.log.split('SIGHUP: ignored').length === times + 1);
      }
      expect(await node.state()).to.deep.include({ node: 'running', generation: before.generation, lastCrash: null });
      expect((await node.state()).workers.map(({ pid }) => pid)).to.deep.equal(before.workers.map(({ pid }) => pid));
      node.signal('SIGTERM');
      node.signal('SIGHUP');
      expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    } finally {
      await node.end();
    }
  });

  it('shuts the node down where the terminal that it was started in is gone', async () => {
    const command = [process.execPath, cli, 'start', '-c', join(home.path, 'config.yml')];
    // It holds the other end of a terminal of its own.
    const terminal =
      process.platform === 'linux'
        ? ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null']
        : ['-q', '/dev/null', ...command];
    const script = spawn('script', terminal, { cwd: home.path, stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    script.stdout.on('data', (text) => {
      said += text;
    });
    await until(() => said.includes('operator API on'));
    const run = join(home.path, 'state', 'run.json');
    const { pid } = JSON.parse(await readFile(run, 'utf8'));
    script.kill('SIGKILL');
    await until(async () => !(await isAlive(pid)));
    // A clean exit: no crash is reported, and the audit log names what ended the node.
    expect(existsSync(run)).to.equal(false);
    const audit = await readFile(join(home.path, 'state', 'audit.jsonl'), 'utf8');
    expect(JSON.parse(audit.trim().split('\n').at(-1) ?? '')).to.include({
      method: 'SIGHUP',
      command: 'shutdown',
      status: 200,
    });
  });
});
