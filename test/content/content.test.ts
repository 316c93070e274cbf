// What the content process reports about a squid or a catalogue, and what it leaves on the disk.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Settings } from '../../machines/settings.ts';
import type { ContentSetup, DirectorySource } from '../../src/ipc/content-messages.ts';
import type { ContentSide } from '../../src/supervisor/content-side.ts';
import { createContentSupervisor } from '../../src/supervisor/content-supervisor.ts';
import { supervisionTimes } from '../../src/supervisor/supervision.ts';
import { cacheSetup, sourcesSetup } from '../support/cache-setup.ts';
import { type SquidDouble, startSquidDouble } from '../support/squid-double/squid-double.ts';
import { squidSetup } from '../support/squid-rig.ts';
import { type World, worldBucket, worldOf } from '../support/squid-world.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { until } from '../support/until.ts';

const settings = (...buckets: string[]): Settings => ({ workerId: null, buckets });

/** Five bags in bucket 1:0, and five in 2:0. */
function twoBuckets(): World {
  const { bags, buckets } = worldOf({ bags: 10, objects: 2 });
  const assigned = Object.entries(bags).map(([id, bag], index) => [
    id,
    { ...bag, distributionBuckets: [index < 5 ? '1:0' : '2:0'] },
  ]);
  return { height: 100, buckets: { ...buckets, '2:0': worldBucket([1]) }, bags: Object.fromEntries(assigned) };
}

describe('what the content process reports', () => {
  let folder: Folder;
  let squid: SquidDouble;
  let side: ContentSide;

  beforeEach(async () => {
    folder = temporaryFolder();
    squid = await startSquidDouble(twoBuckets());
  });

  afterEach(async () => {
    await side.end();
    await squid.stop();
    folder.remove();
  });

  const logged: string[] = [];

  function make(source: DirectorySource, directory: ContentSetup['directory']): void {
    side = createContentSupervisor({
      setup: {
        stateDirectory: join(folder.path, 'state'),
        maxIndexBytes: 2 ** 30,
        lookUpSocket: join(folder.path, 'content.sock'),
        ...{ source, directory, settings: settings('1:0') },
        ...{ cache: cacheSetup(join(folder.path, 'assets')), sources: sourcesSetup },
      },
      ...{ timeoutMs: 60_000, previewTimeoutMs: 60_000, heartbeatMs: 1000, niceness: 0 },
      ...supervisionTimes,
      log: { info() {}, warn: (_, message) => logged.push(message) },
    });
  }

  function makeSquid(pauseMs = 0): void {
    const { url } = squid;
    make({ kind: 'squid', name: url }, squidSetup(url, { pageBags: 1, pauseMs }));
  }

  const isRead = () => (side.status?.readAt ?? null) !== null;

  it('reports progress without a change of its conditions', async () => {
    makeSquid(200);
    const messages = new Set<string>();
    const progress = new Set<number>();
    side.subscribe(() => {
      const { objectsRead } = side.status?.progress ?? {};
      if (objectsRead) progress.add(objectsRead);
      for (const { type, message } of side.conditions) if (type === 'DirectoryNotRead') messages.add(message);
    });
    side.start();
    await until(isRead);
    expect(progress.size).to.be.greaterThan(1);
    expect([...messages]).to.have.lengthOf(1);
  });

  it('is short, however long the names in a catalogue are', async () => {
    const key = 'k'.repeat(1_000_000);
    const object = { id: '1', file: 'a.txt', buckets: ['1:0'], [key]: 1 };
    const file = folder.write('catalogue.yml', JSON.stringify({ objects: [object] }));
    const more = { checkEveryMs: 60_000, maxYamlBytes: 1e8, hashBytesPerSec: 0 };
    make({ kind: 'catalogue', name: file }, { kind: 'catalogue', file, ...more });
    side.start();
    await until(() => side.conditions.some(({ type }) => type === 'CatalogueInvalid'));
    const texts = [...side.conditions.map(({ message }) => message), ...logged];
    expect(texts.join()).to.contain('catalogue.yml:1: objects[0].kkk');
    for (const text of texts) expect(text.length).to.be.lessThan(10_000);
  });

  it('keeps the index to its own user', async () => {
    makeSquid();
    side.start();
    await until(isRead);
    const stateDirectory = join(folder.path, 'state');
    const modes = [stateDirectory, join(stateDirectory, 'index')].map((path) => statSync(path).mode & 0o777);
    expect(modes).to.deep.equal([0o700, 0o700]);
  });

  it('gives no preview of objects that it has not read', async () => {
    makeSquid();
    const preview = (after: Settings, before = settings('1:0')) =>
      side.preview(before, after, 1).catch((error: Error) => error.message);
    squid.fault = () => 'hang';
    side.start();
    await until(() => side.status !== null && squid.asked.length > 0);
    expect(await preview(settings('1:0'))).to.equal('The directory has never been read completely');
    squid.fault = null;
    squid.closeConnections();
    await until(isRead);
    expect(await preview(settings('9:9'))).to.deep.include({
      dropped: { count: 10, bytes: 10_055, sizeUnknown: 0, ids: ['1'] },
    });
    const unread = 'The objects of bucket 2:0 have not been read: only objects that the settings need are read';
    expect(await preview(settings('1:0', '2:0'))).to.equal(unread);
    expect(await preview({ workerId: 1, buckets: null })).to.equal(unread);
    side.configure(settings('1:0', '2:0'));
    await until(() => side.status?.objects === 20);
    await until(async () => typeof (await preview(settings('2:0'), settings('1:0', '2:0'))) !== 'string');
    expect(await preview(settings('2:0'), settings('1:0', '2:0'))).to.have.nested.property('dropped.count', 10);
  });
});
