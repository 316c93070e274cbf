// A cache over real files, with an index in memory and sources in memory.
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../../machines/settings.ts';
import { Cache } from '../../src/content/cache.ts';
import type { Arrival, Bringing, Brought, Following } from '../../src/ipc/arrival.ts';
import type { CacheSetup } from '../../src/ipc/content-messages.ts';
import type { LookUp } from '../../src/ipc/look-up.ts';
import { copyPath, partPath } from '../../src/store/copy-path.ts';
import { memoryIndex } from '../../src/store/memory-index.ts';
import type { IndexWriter, ObjectRow } from '../../src/store/object-index.ts';
import { cacheSetup } from './cache-setup.ts';
import { bytesOf, hashOfBytes, MemorySources } from './memory-sources.ts';
import { type Folder, temporaryFolder } from './temporary-folder.ts';
import { until } from './until.ts';

export class CacheRig {
  readonly #folder: Folder | null;
  readonly assets: string;
  readonly sources = new MemorySources();
  readonly log: string[] = [];
  readonly index: IndexWriter;
  readonly setup: CacheSetup;
  settings: Settings = { workerId: null, buckets: ['1:0'] };
  lookUps = new Map<string, LookUp>();
  isDirectoryCurrent = true;
  cache: Cache;

  /** @param path folder that outlives the rig; omitted: a temporary one */
  constructor(
    more: Partial<CacheSetup> = {},
    index: IndexWriter = memoryIndex({ kind: 'squid', name: 'http://squid' }),
    path?: string,
  ) {
    this.#folder = path === undefined ? temporaryFolder() : null;
    this.assets = join(realpathSync(path ?? (this.#folder?.path as string)), 'assets');
    this.setup = cacheSetup(this.assets, more);
    this.index = index;
    index.transact((tx) => {
      tx.putBag('ours', { distributionBuckets: ['1:0'], storageBuckets: ['1'], pass: 1 });
      tx.putBag('others', { distributionBuckets: ['2:0'], storageBuckets: ['1'], pass: 1 });
      tx.setRead('2026-01-01T00:00:00.000Z');
    });
    this.cache = this.#open();
  }

  /** Replaces the cache, as a new content process would: the files and the index stay. */
  async restart(): Promise<void> {
    await this.cache.close();
    this.cache = this.#open();
  }

  async end(): Promise<void> {
    await this.cache.close();
    await this.index.close();
    this.#folder?.remove();
  }

  #open(): Cache {
    return new Cache({
      ...{ setup: this.setup, index: this.index, sources: this.sources },
      settings: () => this.settings,
      originOf: (_, row) =>
        row?.url ? { kind: 'url', url: row.url } : { kind: 'storage', endpoints: ['http://node'] },
      lookUp: async (id) => this.lookUps.get(id) ?? { result: 'unknown' },
      isDirectoryCurrent: () => this.isDirectoryCurrent,
      pace: async () => {},
      log: (message) => this.log.push(message),
      onChange: () => {},
    });
  }

  /** Adds an object to our bag, and its bytes to the sources. */
  async add(id: string, size: number, more: Partial<ObjectRow> = {}): Promise<Buffer> {
    const bytes = bytesOf(id, size);
    const hash = await hashOfBytes(bytes);
    this.sources.objects.set(id, bytes);
    const row: ObjectRow = {
      ...{ bag: 'ours', size, type: null, hash, accepted: true, file: null, url: null },
      ...more,
    };
    this.index.transact((tx) => tx.putObject(id, row));
    return bytes;
  }

  viewer(id: string, from = 0): Viewer {
    return new Viewer(this.cache, id, from);
  }

  /** Resolves when the copy is in the index. */
  async fetch(id: string): Promise<void> {
    const viewer = this.viewer(id);
    await viewer.ended();
    await until(() => this.cache.downloadsInProgress === 0);
  }

  write(path: string, bytes: Uint8Array): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    return path;
  }

  path(id: string): string {
    return copyPath(this.assets, id);
  }

  part(id: string): string {
    return partPath(this.assets, id);
  }

  has(id: string): boolean {
    return existsSync(this.path(id));
  }

  /** Names of all files, relative to the cache directory. */
  get files(): string[] {
    if (!existsSync(this.assets)) return [];
    const names = readdirSync(this.assets, { recursive: true, encoding: 'utf8' });
    // A file may be renamed or removed at any time.
    const isFile = (name: string) => statSync(join(this.assets, name), { throwIfNoEntry: false })?.isFile() === true;
    return names.filter(isFile).sort();
  }

  /** Whether exactly the copies in the index have files, and there are no other files. */
  get isInStep(): boolean {
    const ids = [...this.index.copyIds('')];
    return (
      JSON.stringify(ids.map((id) => this.path(id)).sort()) ===
      JSON.stringify(this.files.map((name) => join(this.assets, name)))
    );
  }
}

/** One request. */
export class Viewer {
  readonly brought: Promise<Brought>;
  readonly news: Arrival[] = [];
  readonly #following: Following;

  constructor(bringing: Pick<Bringing, 'bring'>, id: string, from: number) {
    this.#following = bringing.bring(id, { from, onArrival: (arrival) => this.news.push(arrival) });
    this.brought = this.#following.brought;
  }

  stop(): void {
    this.#following.stop();
  }

  get received(): number {
    return this.news.at(-1)?.received ?? 0;
  }

  /** Resolves with the final state of the copy, or with the first answer if it is not `arriving`. */
  async ended(): Promise<string> {
    const brought = await this.brought;
    if (brought.result !== 'arriving') return brought.result;
    if (brought.arrival.state !== 'arriving') return brought.arrival.state;
    await until(() => (this.news.at(-1)?.state ?? 'arriving') !== 'arriving');
    return this.news.at(-1)?.state ?? '';
  }
}
