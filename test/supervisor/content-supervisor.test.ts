// The content process dies, hangs, or does not answer: what the control process notices, and what it still knows.
import { rm, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { LookUpClient } from '../../src/ipc/look-up-client.ts';
import type { ContentSide, ContentSideEvent } from '../../src/supervisor/content-side.ts';
import { createContentSupervisor } from '../../src/supervisor/content-supervisor.ts';
import { supervisionTimes } from '../../src/supervisor/supervision.ts';
import { cacheSetup, sourcesSetup } from '../support/cache-setup.ts';
import { damageIndex, replacing } from '../support/damage-index.ts';
import { Folder } from '../support/folder.ts';
import { isAlive } from '../support/is-alive.ts';
import { until } from '../support/until.ts';

const catalogue = (ids: readonly string[]) =>
  JSON.stringify({
    objects: ids.map((id) => ({ id, file: 'a.txt', buckets: ['1:0'] })),
    workers: [{ id: 3, buckets: ['1:0'] }],
  });

describe('the content process', () => {
  let folder: Folder;
  let side: ContentSide;
  let events: ContentSideEvent[];

  beforeEach(async () => {
    folder = await Folder.make();
    await writeFile(join(folder.path, 'a.txt'), 'content');
    await writeFile(join(folder.path, 'catalogue.yml'), catalogue(['1', '2']));
  });

  afterEach(async () => {
    await side.end();
    await folder.remove();
  });

  function start({
    source = 'catalogue.yml',
    ...options
  }: { source?: string } & Partial<Omit<Parameters<typeof createContentSupervisor>[0], 'setup'>> = {}): void {
    const file = join(folder.path, 'catalogue.yml');
    const stateDirectory = join(folder.path, 'state');
    side = createContentSupervisor({
      setup: {
        stateDirectory,
        maxIndexBytes: 2 ** 30,
        lookUpSocket: join(folder.path, 'content.sock'),
        source: { kind: 'catalogue', name: join(folder.path, source) },
        directory: { kind: 'catalogue', file, checkEveryMs: 50, maxYamlBytes: 1e6, hashBytesPerSec: 0 },
        cache: cacheSetup(join(stateDirectory, 'assets')),
        sources: sourcesSetup,
        settings: { workerId: 3, buckets: null },
      },
      ...{ timeoutMs: 60_000, previewTimeoutMs: 60_000, heartbeatMs: 50, niceness: 0 },
      ...supervisionTimes,
      backoffMs: 10,
      log: { info() {}, warn() {} },
      ...options,
    });
    events = [];
    side.subscribe((event) => events.push(event));
    side.start();
  }

  const types = () => side.conditions.map(({ type }) => type);
  const objects = () => side.status?.objects;

  it('reads the directory, and reports what it knows', async () => {
    start();
    await side.settled;
    await until(() => side.knows('1:0') !== null);
    expect(side.status).to.deep.include({ objects: 2, bags: 1, isSettled: true });
    expect(side.status?.readAt).to.be.a('string');
    expect([side.knows('1:0'), side.knows('9:9')]).to.deep.equal([true, false]);
    expect(side.bucketsOf(3)).to.deep.equal(['1:0']);
    expect(side.conditions).to.deep.equal([]);
    const { gained, dropped } = await side.preview({ workerId: 3, buckets: null }, { workerId: 4, buckets: null }, 1);
    expect([gained.count, dropped.count, dropped.ids.length]).to.deep.equal([0, 2, 1]);
  });

  it('is replaced when it is killed, with a condition, and its last report is kept', async () => {
    start();
    await until(() => objects() === 2 && side.knows('1:0') === true);
    const before = side.pid ?? 0;
    process.kill(before, 'SIGKILL');
    await until(() => types().includes('ContentCrashed'));
    expect(side.bucketsOf(3)).to.deep.equal(['1:0']);
    expect(events.filter(({ type }) => type === 'crash')).to.have.lengthOf(1);
    await writeFile(join(folder.path, 'catalogue.yml'), catalogue(['1', '2', '3']));
    await until(() => objects() === 3);
    expect(side.pid).not.to.equal(before);
  });

  it('is killed and replaced when it is stopped', async () => {
    start({ timeoutMs: 5000 });
    await until(() => objects() === 2);
    const before = side.pid ?? 0;
    process.kill(before, 'SIGSTOP');
    await until(() => types().includes('ContentCrashed'));
    expect(side.conditions[0]?.message).to.contain('did not answer "ping" within 5000 ms and was killed');
    await until(() => side.pid !== null && side.pid !== before);
    expect(await isAlive(before)).to.equal(false);
  });

  it('rejects a preview after the timeout while it is stopped', async () => {
    start({ previewTimeoutMs: 50 });
    await until(() => objects() === 2);
    const pid = side.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const settings = { workerId: 3, buckets: null };
    const reason = await side.preview(settings, settings, 1).catch((error: Error) => error.message);
    expect(reason).to.equal('The content process did not answer within 50 ms');
    process.kill(pid, 'SIGCONT');
  });

  it('rejects a preview before the directory has been read', async () => {
    await rm(join(folder.path, 'catalogue.yml'));
    start();
    await side.settled;
    const settings = { workerId: 3, buckets: null };
    const reason = await side.preview(settings, settings, 1).catch((error: Error) => error.message);
    expect(reason).to.equal('The directory has never been read completely');
  });

  it('explains why it builds a new index', async () => {
    start();
    await until(() => objects() === 2);
    await side.end();
    start({ source: 'another.yml' });
    await until(() => types().includes('IndexRebuilt'));
    const index = join(folder.path, 'state', 'index');
    expect(side.conditions.find(({ type }) => type === 'IndexRebuilt')?.message).to.equal(
      `The index in ${index} was built from the catalogue ${join(folder.path, 'catalogue.yml')}. It was renamed to ${index}.unused-1, and a new index is being built.`,
    );
  });

  it('has the priority of the node while it starts, and a lower one when it works', async () => {
    const entry = join(folder.path, 'honest.mjs');
    const words = "import { getPriority } from 'node:os'; process.send({ type: 'hello' });";
    const answer =
      "if (type === 'leave') process.exit(); process.send({ type: 'confirmed', seq }); process.send({ type: 'log', level: 'info', message });";
    const listen = `process.on('message', ({ seq, type }) => { const message = \`\${type} \${getPriority()}\`; ${answer} })`;
    await writeFile(entry, `${words} ${listen}`);
    const said: string[] = [];
    const normal = getPriority();
    const log = { info: (_: object, message: string) => void said.push(message), warn() {} };
    start({ entry, niceness: normal + 1, log });
    await until(() => said.some((message) => message === `ping ${normal + 1}`));
    expect(said[0]).to.equal(`setup ${normal}`);
  });

  it('is in a crash loop while it cannot run, and settles nothing', async () => {
    const entry = join(folder.path, 'broken.mjs');
    await writeFile(entry, "throw new Error('no such luck')");
    start({ entry });
    await until(() => types().includes('ContentCrashLoop'));
    expect(side.conditions.find(({ type }) => type === 'ContentCrashed')?.message).to.contain('Error: no such luck');
    expect([side.status, side.knows('1:0'), side.bucketsOf(3)]).to.deep.equal([null, null, null]);
  });

  it('exits when the node ends', async () => {
    start();
    await until(() => objects() === 2);
    const pid = side.pid ?? 0;
    await side.end();
    expect(await isAlive(pid)).to.equal(false);
  });

  const rebuilt = () => side.conditions.find(({ type }) => type === 'IndexRebuilt');

  it('is replaced by one that rebuilds the index when that is suspect', async () => {
    start();
    await until(() => objects() === 2);
    const before = [side.pid, side.status?.indexId];
    side.rebuildIndex('A test says so');
    await until(() => objects() === 2 && side.status?.indexId !== before[1]);
    expect(rebuilt()).to.include({ reason: 'Damaged' });
    expect(rebuilt()?.message).to.match(/^A test says so\. It was renamed to/);
    expect(side.pid).not.to.equal(before[0]);
    const { indexId } = side.status ?? {};
    // Once: the next one uses it.
    process.kill(side.pid ?? 0, 'SIGKILL');
    await until(() => objects() === 2 && rebuilt() === undefined);
    expect(side.status?.indexId).to.equal(indexId);
  });

  it('exits when it meets damage in the index, and its replacement rebuilds it', async () => {
    start();
    await until(() => objects() === 2 && side.status?.progress?.activity === 'idle');
    const { indexId } = side.status ?? {};
    damageIndex(join(folder.path, 'state'), replacing('catalogue.yml', 'catalogue.xml'));
    await until(() => rebuilt() !== undefined && objects() === 2 && side.status?.readAt !== null);
    expect(rebuilt()?.message).to.contain('a wrong checksum');
    expect(side.status?.indexId).not.to.equal(indexId);
    expect(side.conditions.find(({ type }) => type === 'ContentCrashed')).to.include({ reason: 'ExitCode1' });
  });

  it('rebuilds an index when a server process reports damage of this one, not of an earlier one', async () => {
    start();
    await until(() => objects() === 2);
    const { indexId } = side.status ?? {};
    const client = new LookUpClient(join(folder.path, 'content.sock'), { timeoutMs: 60_000 });
    client.reportDamage('another', 'not this one');
    await client.lookUp('1');
    client.reportDamage(indexId ?? '', 'wrong bytes');
    await until(() => rebuilt() !== undefined && objects() === 2);
    expect(rebuilt()?.message).to.contain('wrong bytes');
    client.close();
  });
});
