// The content process dies, hangs, or does not answer: what the control process notices, and what it goes on knowing.
import { writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ContentSide, ContentSideEvent } from '../../src/supervisor/content-side.ts';
import { createContentSupervisor } from '../../src/supervisor/content-supervisor.ts';
import { supervisionTimes } from '../../src/supervisor/supervision.ts';
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

  function start(options: Partial<Omit<Parameters<typeof createContentSupervisor>[0], 'setup'>> = {}): void {
    const file = join(folder.path, 'catalogue.yml');
    const stateDirectory = join(folder.path, 'state');
    side = createContentSupervisor({
      setup: {
        stateDirectory,
        maxIndexBytes: 2 ** 30,
        lookUpSocket: join(folder.path, 'content.sock'),
        source: { kind: 'catalogue', name: file },
        directory: { kind: 'catalogue', file, checkEveryMs: 50, maxYamlBytes: 1e6, hashBytesPerSec: 0 },
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

  it('is replaced when it is killed, with a condition, and its knowledge stays', async () => {
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

  it('gives no preview in time when it is stopped, and says so', async () => {
    start({ previewTimeoutMs: 50 });
    await until(() => objects() === 2);
    const pid = side.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const settings = { workerId: 3, buckets: null };
    const reason = await side.preview(settings, settings, 1).catch((error: Error) => error.message);
    expect(reason).to.equal('The content process did not answer within 50 ms');
    process.kill(pid, 'SIGCONT');
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
});
