// Notifications to systemd, recorded by a stand-in for systemd-notify.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { serviceManager } from '../../src/control/service-manager.ts';
import { Home } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('the service manager', () => {
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let warnings: string[];
  const log = { warn: (text: string) => void warnings.push(text) };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'notify-'));
    env = { PATH: `${folder}:${process.env.PATH}`, NOTIFY_SOCKET: '@notify', SECRET: 'x' };
    warnings = [];
    await stand('exit 0');
  });
  // The last word may still be on its way.
  afterEach(() => rm(folder, { recursive: true, maxRetries: 5 }));

  /** Logs one line for each call: the socket, the secret if it leaked into the environment, and the arguments. */
  async function stand(end: string): Promise<void> {
    const file = join(folder, 'systemd-notify');
    await writeFile(file, `#!/bin/sh\necho "$NOTIFY_SOCKET|$SECRET|$*" >> ${folder}/said\n${end}\n`);
    await chmod(file, 0o755);
  }
  const said = async (): Promise<string[]> =>
    (await readFile(join(folder, 'said'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

  it('hears of the node in order, and nothing of its environment', async () => {
    const manager = serviceManager(env, log as never);
    manager.ready('public API\nrunning');
    manager.stopping('shutting down', 1500);
    await until(async () => (await said()).length === 2);
    expect(await said()).to.deep.equal([
      '@notify||READY=1 STATUS=public API running',
      '@notify||STOPPING=1 STATUS=shutting down EXTEND_TIMEOUT_USEC=1500000',
    ]);
    expect(warnings).to.deep.equal([]);
  });

  it('hears the newest of many changes, not each of them', async () => {
    const manager = serviceManager(env, log as never);
    for (const status of ['1', '2', '3']) manager.status(status);
    manager.ready('4');
    await until(async () => (await said()).length === 2);
    expect((await said()).map((line) => line.split('|')[2])).to.deep.equal(['STATUS=3', 'READY=1 STATUS=4']);
  });

  it('is left alone where there is none', async () => {
    const manager = serviceManager({ ...env, NOTIFY_SOCKET: undefined, WATCHDOG_USEC: '1000' }, log as never);
    manager.ready('');
    manager.end();
    expect(await said()).to.deep.equal([]);
  });

  for (const [name, makeIt, words] of [
    ['is missing', () => rm(join(folder, 'systemd-notify')), 'spawn systemd-notify ENOENT'],
    ['fails', () => stand('exit 3'), 'systemd-notify ended with code 3'],
  ] as const) {
    it(`that ${name} is one warning`, async () => {
      await makeIt();
      const manager = serviceManager({ ...env, PATH: folder }, log as never);
      manager.ready('');
      manager.status('');
      await until(() => warnings.length > 0);
      manager.stopping('', 1);
      expect(warnings).to.deep.equal([`systemd could not be notified: ${words}`]);
    });
  }

  it('is given signs of life where it wants them of this process', async () => {
    const other = serviceManager({ ...env, WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' }, log as never);
    const manager = serviceManager({ ...env, WATCHDOG_USEC: '20000', WATCHDOG_PID: `${process.pid}` }, log as never);
    await until(async () => (await said()).length > 2);
    manager.end();
    other.end();
    expect(new Set(await said())).to.deep.equal(new Set(['@notify||WATCHDOG=1']));
  });

  it('gets readiness, status and stopping from a real node; the audit log names the signal', async () => {
    const home = await Home.make();
    try {
      const node = await home.start({ env });
      await until(async () => (await said()).join().includes('READY'));
      await node.command('stop-api');
      await until(async () => (await said()).at(-1)?.includes('stopped') === true);
      node.signal('SIGTERM');
      expect(await node.exited).to.deep.equal({ code: 0, signal: null });
      await until(async () => (await said()).at(-1)?.includes('STOPPING') === true);
      const audited = (await readFile(join(home.path, 'state', 'audit.jsonl'), 'utf8')).trimEnd().split('\n');
      expect(audited).to.have.length(2);
      const { method, command, status, before, after } = JSON.parse(audited[1] ?? '');
      expect([method, command, status, before.node, after.node]).to.deep.equal([
        ...['SIGTERM', 'shutdown', 200, 'running', 'shuttingDown'],
      ]);
    } finally {
      await home.remove();
    }
    const lines = (await said()).map((line) => line.replace(/^@notify\|\|/, ''));
    expect(lines).to.include.members(['READY=1 STATUS=public API running', 'STATUS=public API stopped']);
    expect(lines.at(-1)).to.match(/^STOPPING=1 STATUS=shutting down EXTEND_TIMEOUT_USEC=\d{7,}$/);
  });
});
