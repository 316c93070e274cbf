// Desired state on a failing disk, with real nodes: what is refused, what is carried out all the same, what comes back.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { CommandName } from '../../machines/commands.ts';
import { type Ended, run } from '../cli/run.ts';
import { Home, type RealNode } from '../support/harness.ts';
import { until } from '../support/until.ts';

describe('the state on disk, of a real node', () => {
  // Many processes, on a machine that may be busy.

  let home: Home;
  let node: RealNode | null;
  let state: string;
  let file: string;
  beforeEach(async () => {
    home = await Home.make({
      objects: { 1: 'one' },
      more: {
        stateFile: { saveRetryMs: 50 },
        auditLog: { path: './audit.jsonl' },
        intervals: { checkStateDirectoryMs: 50 },
      },
    });
    node = null;
    state = join(home.path, 'state');
    file = join(state, 'state.json');
  });
  afterEach(async () => {
    await node?.end();
    await home.remove();
  });

  const cliIn = (env: NodeJS.ProcessEnv, ...args: string[]) =>
    run([...args, '-c', join(home.path, 'config.yml')], { cwd: home.path, env });
  const serves = () =>
    fetch(`http://127.0.0.1:${home.port}/api/v1/assets/1`, { headers: { connection: 'close' } }).then(
      (answer) => answer.status,
      () => 'refused',
    );

  async function sent(name: CommandName, body?: object) {
    const { status, document } = (await node?.command(name, body)) ?? { status: 0, document: null };
    const { detail = '', conditions = [] } = document as { detail?: string; conditions?: { type: string }[] };
    return { status, detail, conditions: conditions.map(({ type }) => type) };
  }

  /** What an operator can see of the desired state; times and conditions left out. */
  async function seen(running = node) {
    if (running === null) throw new Error('No node runs');
    const { settings, desired, generation, publicApi } = await running.state();
    return { settings, desired, generation, publicApi };
  }

  const failures: Record<string, { breakIt(): void; repairIt(): void; reason: RegExp }> = {
    'a file in place of the directory': {
      breakIt() {
        renameSync(state, `${state}.away`);
        writeFileSync(state, '');
      },
      repairIt() {
        rmSync(state);
        renameSync(`${state}.away`, state);
      },
      reason: /could not be written: its directory is a file \(ENOTDIR\)$/,
    },
    'a directory that is gone': {
      breakIt: () => renameSync(state, `${state}.away`),
      repairIt: () => renameSync(`${state}.away`, state),
      reason: /could not be written: its directory does not exist \(ENOENT\)$/,
    },
    'another directory in its place': {
      breakIt() {
        renameSync(state, `${state}.away`);
        mkdirSync(state);
      },
      repairIt() {
        // What this node has written there would be read by the other one.
        expect(existsSync(file)).to.equal(false);
        rmSync(state, { recursive: true });
        renameSync(`${state}.away`, state);
      },
      reason: /could not be written: the directory is not the one that this node has locked$/,
    },
    'a full disk': {
      breakIt: () => symlinkSync('/dev/full', `${file}.tmp`),
      repairIt: () => rmSync(`${file}.tmp`, { force: true }),
      reason: /could not be written: no space left on device \(ENOSPC\)$/,
    },
  };

  it('that fails: settings and starts are refused unchanged, stops are carried out, and the repair is enough', async () => {
    node = await home.start();
    expect((await sent('set-worker', { workerId: 0 })).status).to.equal(200);
    /** The node tries again by itself, and a full disk is over with the first try: each failure begins when all is well. */
    const whole = () => until(async () => (await node?.state())?.conditions.length === 0);

    for (const [name, { breakIt, repairIt, reason }] of Object.entries(failures)) {
      const broken = async (command: CommandName, body?: object) => {
        await whole();
        breakIt();
        const answer = await sent(command, body);
        const state = await seen();
        repairIt();
        return { ...answer, state };
      };
      const before = await seen();
      for (const [command, body] of [
        ['set-worker', { workerId: 9 }],
        ['set-buckets', { buckets: ['9:9'] }],
      ] as const) {
        const { status, detail, state } = await broken(command, body);
        expect([status, state], name).to.deep.equal([500, before]);
        expect(detail).to.match(reason);
        expect(await serves()).to.equal(200);
      }

      const stopped = await broken('stop-api');
      expect(stopped.status, name).to.equal(200);
      expect(stopped.conditions).to.include('StateNotSaved');
      expect(await serves()).to.equal('refused');
      await whole();
      const after = await seen();
      const started = await broken('start-api');
      expect([started.status, started.state], name).to.deep.equal([500, after]);
      expect(started.detail).to.match(reason);
      expect(await serves()).to.equal('refused');

      expect((await sent('start-api')).status, name).to.equal(200);
      expect(await serves()).to.equal(200);
      expect(await sent('set-worker', { workerId: 0 })).to.deep.include({ status: 200, conditions: [] });
    }

    const { generation } = await seen();
    renameSync(state, `${state}.away`);
    const shutdown = await sent('shutdown');
    expect(shutdown.status).to.equal(200);
    expect(shutdown.conditions).to.include('StateNotSaved');
    expect(await node.exited).to.deep.equal({ code: 0, signal: null });
    renameSync(`${state}.away`, state);
    node = await home.start();
    expect(await seen()).to.deep.include({ generation, publicApi: 'running' });
  });

  it('refuses a change that could not be handed to the server processes, and nothing has changed', async () => {
    // Two such lists do not fit into one file; one does.
    node = await home.start({ fileBlocks: 300 });
    const list = (bucket: string) => ({
      buckets: [`${bucket}:0`, ...Array.from({ length: 1000 }, (_, at) => `${bucket}:${String(at).padStart(90, '0')}`)],
    });
    expect(await sent('set-buckets', list('1'))).to.deep.include({ status: 200, conditions: ['UnknownBuckets'] });
    const before = await seen();
    const onDisk = readFileSync(file, 'utf8');
    const refused = await sent('set-buckets', list('2'));
    expect(refused.status).to.equal(500);
    expect(refused.detail).to.match(/^The settings could not be sent to the server processes: EFBIG/);
    expect(await seen()).to.deep.equal(before);
    expect((await node.state()).conditions.map(({ type }) => type)).to.not.include('StateNotSaved');
    expect(readFileSync(file, 'utf8')).to.equal(onDisk);
    expect(await serves()).to.equal(200);
    expect(await sent('set-buckets', { buckets: ['7:7'] })).to.deep.include({ status: 200 });
    expect(await serves()).to.equal(421);
  });

  it('says in one line why it cannot start where no file can be written at all', async () => {
    // What it has run through could not be written either.
    node = home.launch({ fileBlocks: 0, env: { NODE_V8_COVERAGE: '' } });
    expect((await node.exited).code).to.equal(1);
    const [last] = node.log.trimEnd().split('\n').slice(-1);
    expect(last).to.match(/^No file for the server processes to share could be created: tried \/dev\/shm \(EFBIG/);
    expect(node.printed).to.equal('');
  });

  it('comes back as it was left; a newer version, no directory or a second node refuses the start in one line', async () => {
    node = await home.start();
    await sent('stop-api');
    await sent('set-buckets', { buckets: ['1:0'] });
    node.signal('SIGKILL');
    await node.exited;
    node = await home.start();
    expect(await seen()).to.deep.equal({
      settings: { workerId: 0, buckets: ['1:0'] },
      desired: { publicApi: 'stopped', overridden: ['publicApi', 'buckets'] },
      generation: 2,
      publicApi: 'stopped',
    });
    expect(await serves()).to.equal('refused');

    // Beside it, no other node starts: not on a record it cannot read, not without a directory, not on this one's.
    const places = ['newer', 'no-directory', 'other-name'].map((name) => join(home.path, name));
    const [newerPlace = '', noDirectoryPlace = '', otherName = ''] = places;
    mkdirSync(newerPlace);
    writeFileSync(join(newerPlace, 'state.json'), '{"format":2}');
    writeFileSync(noDirectoryPlace, '');
    symlinkSync(state, otherName);
    const starts = places.map((place) => cliIn({ DISTRIBUTOR__DIRECTORIES__STATE: place }, 'start'));
    const [newer, noDirectory, second] = (await Promise.all(starts)) as [Ended, Ended, Ended];
    expect([newer, noDirectory, second].map(({ code, stdout }) => [code, stdout])).to.deep.equal([
      [40, ''],
      [40, ''],
      [40, ''],
    ]);
    for (const { stderr } of [newer, noDirectory, second]) expect(stderr.trimEnd().split('\n')).to.have.length(1);
    expect(newer.stderr).to.contain('has a newer format (2; this version reads 1)');
    expect(noDirectory.stderr).to.match(/^The state directory .*no-directory cannot be used: /);
    expect(second.stderr).to.contain(`in use by another node (process ${node.pid})`);
    expect((await node.state()).publicApi).to.equal('stopped');
  });

  it('is left alone where its directory was replaced, which is a condition before anything is to be saved', async () => {
    node = await home.start();
    const conditions = async () => (await node?.state())?.conditions.map(({ type, reason }) => `${type} ${reason}`);
    renameSync(state, `${state}.away`);
    await until(async () => (await conditions())?.includes('StateDirectoryReplaced Gone') === true);
    // Another node can be started there, and commands to it affect only its own state.
    const second = await home.start({ env: { DISTRIBUTOR__PUBLIC_API__PORT: '0' } });
    try {
      // The content process may miss what it had in that directory.
      await until(async () => (await conditions())?.includes('StateDirectoryReplaced Replaced') === true);
      expect((await second.command('set-worker', { workerId: 2 })).status).to.equal(200);
      expect((await sent('set-worker', { workerId: 1 })).status).to.equal(500);
      expect((await sent('stop-api')).conditions).to.include('StateNotSaved');
      node.signal('SIGTERM');
      await node.exited;
      second.signal('SIGKILL');
      await second.exited;
      node = await home.start();
      expect((await seen()).settings.workerId).to.equal(2);
    } finally {
      await second.end();
    }
  });

  it('is set aside where it is torn, and nothing is served before someone says so', async () => {
    mkdirSync(state);
    writeFileSync(file, '{ "format": 1, "generation": 12, "chan');
    node = await home.start();
    const { publicApi, conditions, desired } = await node.state();
    expect([publicApi, desired.publicApi, conditions.map(({ type }) => type)]).to.deep.equal([
      'stopped',
      'stopped',
      ['StateFileCorrupt'],
    ]);
    const [aside] = readdirSync(state).filter((name) => name.startsWith('state.json.corrupt-'));
    expect(readFileSync(join(state, aside ?? ''), 'utf8')).to.equal('{ "format": 1, "generation": 12, "chan');
    expect((await sent('start-api')).status).to.equal(200);
    expect(await serves()).to.equal(200);
    expect((await node.state()).conditions).to.deep.equal([]);
  });
});
