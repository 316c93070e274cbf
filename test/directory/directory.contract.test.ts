// The contract of the directory port, for the directory in memory, catalogues in both formats, and a squid.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { openCatalogue } from '../../src/directory/catalogue/catalogue.ts';
import { type MemoryContents, type MemoryDirectory, memoryDirectory } from '../../src/directory/memory-directory.ts';
import { openSquid } from '../../src/directory/squid/squid.ts';
import { dataObject } from '../../src/store/data-object.ts';
import { openIndexWriter } from '../../src/store/lmdb-index.ts';
import type { IndexSource } from '../../src/store/object-index.ts';
import { startSquidDouble } from '../support/squid-double/squid-double.ts';
import { squidSetup } from '../support/squid-rig.ts';
import { type World as SquidWorld, worldBucket, worldObject } from '../support/squid-world.ts';
import { type Folder, temporaryFolder } from '../support/temporary-folder.ts';
import { type DirectoryHarness, directoryContract, type World } from './directory.contract.ts';

function inMemory(world: World): DirectoryHarness {
  let contents = memoryContents(world);
  let directory: MemoryDirectory | null = null;
  return {
    open: (index) => {
      directory = memoryDirectory(index, contents);
      return directory;
    },
    change: (next) => {
      contents = memoryContents(next);
      directory?.replace(contents);
    },
    breakSource: () => null,
    end: () => {},
  };
}

const memoryContents = ({ objects, bags, buckets }: World): MemoryContents => ({
  objects: Object.entries(objects).map(([id, bag]) => ({
    ...{ id, buckets: bags[bag] ?? [], path: `/films/${id}`, size: 1, type: 'text/plain', hash: `hash of ${id}` },
    ...{ verified: { size: 1, mtimeMs: 0, ctimeMs: 0, ino: 1 }, accepted: true },
  })),
  bucketWorkers: buckets,
});

function onDisk(name: string, textOf: (world: World) => string) {
  return (world: World): DirectoryHarness => {
    const folder = temporaryFolder();
    const file = join(folder.path, name);
    const write = (next: World) => {
      for (const id of Object.keys(next.objects)) folder.write(`${id}.txt`, 'x');
      folder.write('next', textOf(next));
      renameSync(join(folder.path, 'next'), file);
    };
    write(world);
    const setup = { kind: 'catalogue', file, checkEveryMs: 20, maxYamlBytes: 1_048_576, hashBytesPerSec: 0 } as const;
    return {
      open: (index) => openCatalogue(setup, { index, dataObject, log: { info: () => {}, warn: () => {} } }),
      change: write,
      breakSource: (isBroken) => {
        if (isBroken) renameSync(file, `${file}.away`);
        else renameSync(`${file}.away`, file);
        return 'CatalogueInvalid';
      },
      end: () => folder.remove(),
    };
  };
}

const statedIn = ({ objects, bags }: World) =>
  Object.entries(objects).map(([id, bag]) => ({ id, file: `${id}.txt`, buckets: bags[bag] ?? [] }));

const workersIn = ({ buckets }: World) =>
  [...new Set(Object.values(buckets).flat())].map((id) => ({
    id,
    buckets: Object.keys(buckets).filter((bucket) => buckets[bucket]?.includes(id)),
  }));

const yaml = (world: World) => JSON.stringify({ objects: statedIn(world), workers: workersIn(world) });

const ndjson = (world: World) =>
  [...workersIn(world).map(({ id, buckets }) => ({ worker: id, buckets })), ...statedIn(world)]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');

async function inSquid(world: World): Promise<DirectoryHarness> {
  const double = await startSquidDouble(squidWorld(world, 1));
  const setup = squidSetup(double.url, { syncEveryMs: 20, cacheMs: 0 });
  return {
    open: (index) => openSquid(setup, { index, log: { info: () => {}, warn: () => {} } }),
    change: (next) => {
      double.world = squidWorld(next, (double.world.height ?? 0) + 1);
    },
    breakSource: (isBroken) => {
      double.fault = isBroken ? () => ({ status: 502, type: 'text/html', body: '<html>' }) : null;
      return 'SquidUnreachable';
    },
    end: () => double.stop(),
  };
}

const squidWorld = ({ objects, bags, buckets }: World, height: number): SquidWorld => ({
  height,
  buckets: Object.fromEntries(Object.entries(buckets).map(([id, workers]) => [id, worldBucket(workers)])),
  bags: Object.fromEntries(
    Object.entries(bags).map(([name, distributionBuckets]) => {
      const ids = Object.keys(objects).filter((id) => objects[id] === name);
      const content = Object.fromEntries(ids.map((id) => [id, worldObject(id)]));
      return [`dynamic:channel:${name}`, { distributionBuckets, storageBuckets: [], objects: content }];
    }),
  ),
});

const source = { kind: 'catalogue', name: '/films/catalogue' } as const;

directoryContract({ name: 'the directory in memory', source, harness: inMemory });
directoryContract({ name: 'a catalogue in YAML', source, harness: onDisk('catalogue.yml', yaml) });
directoryContract({ name: 'a catalogue in NDJSON', source, harness: onDisk('catalogue.ndjson', ndjson) });
directoryContract({ name: 'a squid', source: { kind: 'squid', name: 'http://localhost' }, harness: inSquid });

describe('with the index on disk:', () => {
  let folders: Folder[];

  before(() => {
    folders = [];
  });

  after(() => {
    for (const folder of folders) folder.remove();
  });

  const openIndex = (indexSource: IndexSource) => {
    const folder = temporaryFolder();
    folders.push(folder);
    return openIndexWriter(folder.path, { source: indexSource, maxBytes: 2 ** 26 });
  };
  directoryContract({ name: 'a catalogue', source, harness: onDisk('catalogue.ndjson', ndjson), openIndex });
});
