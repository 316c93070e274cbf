// A real node whose log cannot be written: it serves, obeys commands, raises a condition, and exits.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { createClient } from '../../src/client/http-client.ts';
import { freePort } from '../support/free-port.ts';
import { accessToken, Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('a node whose log cannot be written', () => {
  let home: Home;
  let node: RealNode;
  before(async () => {
    const file = { path: './logs', level: 'debug', retryMs: 50 };
    home = await Home.make({ more: { logs: { file } } });
    node = await home.start();
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  const condition = async () => (await node.state()).conditions.find(({ type }) => type === 'LogNotWritten');

  it('keeps running, raises a condition, and writes again after the repair', async () => {
    const logs = join(home.path, 'logs');
    await until(async () => (await readdir(logs).catch(() => [])).length === 1);
    expect(await condition()).to.equal(undefined);
    await rm(logs, { recursive: true });
    await writeFile(logs, 'in the way');
    expect((await node.command('set-worker', { workerId: 7 })).status).to.equal(200);
    await until(async () => (await condition()) !== undefined);
    expect(await condition()).to.include({ reason: 'WriteFailed' });
    expect((await node.command('stop-api')).status).to.equal(200);
    expect((await node.command('start-api')).status).to.equal(200);
    await rm(logs);
    await mkdir(logs);
    await until(async () => (await condition()) === undefined);
    await rm(logs, { recursive: true });
    await writeFile(logs, 'in the way');
    expect((await node.command('shutdown')).status).to.equal(200);
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
  });
});

describe('a node whose output has no reader', () => {
  it('starts, serves and exits normally', async () => {
    const port = await freePort();
    const home = await Home.make({ operatorApi: { port } });
    const fd = openSync('/dev/full', 'w');
    const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
    const child = spawn(process.execPath, [cli, 'start', '-c', join(home.path, 'config.yml')], {
      stdio: ['ignore', fd, fd],
    });
    const exited = once(child, 'exit');
    const token = await accessToken();
    const client = createClient({ url: `http://127.0.0.1:${port}`, token, timeoutMs: 60_000 });
    const answers = async () => (await client.state().catch(() => null))?.document;
    await until(async () => child.exitCode !== null || JSON.stringify((await answers()) ?? null).includes('"serving"'));
    expect((await client.command('shutdown')).status).to.equal(200);
    expect(await exited).to.deep.equal([0, null]);
    closeSync(fd);
    await home.remove();
  });
});
