// A real node whose log goes nowhere: it serves, obeys, says what is wrong, and ends.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { Home, type RealNode } from './support/real-node.ts';
import { until } from './support/until.ts';

describe('a node whose log cannot be written', () => {
  let home: Home;
  let node: RealNode;
  before(async () => {
    const file = { path: './logs', level: 'debug', retryMs: 50 };
    home = await Home.make({ publicApi: { workers: 1 }, more: { logs: { file } } });
    node = await home.start();
  });
  after(async () => {
    await node.end();
    await home.remove();
  });

  const condition = async () => (await node.state()).conditions.find(({ type }) => type === 'LogNotWritten');

  it('goes on, says so, and writes again when that is mended', async () => {
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
