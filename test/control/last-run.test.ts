// The crash report about the previous run: none after a clean end.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { beginRun } from '../../src/control/last-run.ts';
import type { CrashReport } from '../../src/supervisor/public-side.ts';
import { until } from '../support/until.ts';

describe('last run', () => {
  let directory: string;
  const warnings: string[] = [];
  const begin = () => beginRun(directory, { warn: (_, message) => warnings.push(message) });
  const workerCrash: CrashReport = {
    at: '2026-11-23T08:00:00.000Z',
    what: 'worker',
    pid: 4711,
    reason: 'SIGKILL',
    message: 'Server process 4711 was ended by SIGKILL',
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'last-run-'));
    warnings.length = 0;
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('reports no crash at first, nor after a clean end', async () => {
    const first = await begin();
    expect(first.crash).to.equal(null);
    first.end();
    expect((await begin()).crash).to.equal(null);
  });

  it('reports a run that exited without a reason, also after later clean runs', async () => {
    await begin();
    const second = await begin();
    expect(second.crash).to.include({ what: 'control', pid: process.pid, reason: 'Killed' });
    expect(second.crash?.at).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(second.crash?.message).to.match(
      /^The control process \d+, started at .*Z, was last seen at .*Z and exited without logging a reason/,
    );
    second.end();
    expect((await begin()).crash).to.deep.equal(second.crash);
  });

  it('reports an uncaught error in one line', async () => {
    (await begin()).noteFatal(new RangeError('no more hats'));
    const { reason, message } = (await begin()).crash ?? {};
    expect(reason).to.equal('UncaughtError');
    expect(message).to.match(/ended with RangeError: no more hats$/);
  });

  it('knows a restart of the machine from a kill', async () => {
    await begin();
    const path = join(directory, 'run.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/"boot":"[^"]*"/, '"boot":"another"'));
    expect((await begin()).crash?.reason).to.equal('MachineRestarted');
  });

  it('keeps the crash of a server process after a clean end; a later crash replaces it', async () => {
    const run = await begin();
    run.note(workerCrash);
    expect(run.crash).to.deep.equal(workerCrash);
    await until(async () => (await readdir(directory)).includes('last-crash.json'));
    run.end();
    const next = await begin();
    expect(next.crash).to.deep.equal(workerCrash);
    expect((await begin()).crash?.what).to.equal('control');
  });

  it('treats a half-written marker as a run that exited without a reason', async () => {
    await writeFile(join(directory, 'run.json'), '{"pid": 47');
    await writeFile(join(directory, 'last-crash.json'), '');
    expect((await begin()).crash).to.include({ what: 'control', pid: 0, reason: 'Killed' });
    expect(warnings).to.deep.equal([]);
  });

  it('takes a directory in the place of its file for no run', async () => {
    await mkdir(join(directory, 'run.json'));
    expect((await begin()).crash).to.equal(null);
  });

  it('costs the report and nothing else where it cannot write', async () => {
    await rm(directory, { recursive: true });
    await writeFile(directory, 'a file');
    const run = await begin();
    run.note(workerCrash);
    run.noteFatal('lost');
    run.end();
    expect(run.crash).to.deep.equal(workerCrash);
    await until(() => warnings.length === 2 || warnings.length === 3);
    expect(new Set(warnings)).to.deep.equal(new Set(['The crash report could not be written']));
  });
});
