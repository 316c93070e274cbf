// The cache of this process: combines downloads, copies and their files for one index and one set of sources.
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Settings } from '../../machines/settings.ts';
import type { Condition } from '../base/condition.ts';
import { type HashOptions, lazyHasher } from '../base/content-hash.ts';
import type { Bringing, Following } from '../ipc/arrival.ts';
import type { CacheSetup, DownloadInProgress } from '../ipc/content-messages.ts';
import type { LookUp } from '../ipc/look-up.ts';
import type { Sources } from '../sources/source.ts';
import type { IndexWriter } from '../store/object-index.ts';
import { CacheKeeper } from './cache-keeper.ts';
import { CacheSpace } from './cache-space.ts';
import { DiskCondition } from './disk-condition.ts';
import { Downloads } from './downloads.ts';
import { Places } from './places.ts';
import type { OriginOf } from './wanted-object.ts';

export interface CachePorts {
  readonly setup: CacheSetup;
  readonly index: IndexWriter;
  readonly sources: Pick<Sources, 'fetch' | 'reportBad' | 'urls'>;
  readonly settings: () => Settings;
  readonly originOf: OriginOf;
  readonly lookUp: (id: string) => Promise<LookUp>;
  readonly isDirectoryCurrent: () => boolean;
  /** Limits how fast files are read in the background. */
  readonly pace: NonNullable<HashOptions['pace']>;
  readonly log: (message: string) => void;
  /** Conditions, downloads or the number of copies to remove have changed. */
  readonly onChange: () => void;
}

export class Cache implements Bringing {
  /** Absolute path of the directory, with every link resolved. */
  readonly assets: string;
  readonly #space: CacheSpace;
  readonly #disk: DiskCondition;
  readonly #downloads: Downloads;
  readonly #keeper: CacheKeeper;

  constructor(ports: CachePorts) {
    const { setup, index, sources, settings, originOf, lookUp, log, onChange } = ports;
    const assets = resolved(setup.directory);
    this.assets = assets;
    const isArriving = (id: string): boolean => this.#downloads.isArriving(id);
    this.#disk = new DiskCondition(assets, onChange);
    const onDiskError = (error: unknown) => this.#disk.failed(error);
    this.#space = new CacheSpace({ index, assets, maxBytes: setup.maxBytes, isArriving, onDiskError });
    this.#downloads = new Downloads({
      ...{ sources, assets, log, onChange, onDiskError },
      places: new Places(setup.maxDownloads),
      space: this.#space,
      deadlineMs: setup.deadlineMs,
      maxItemBytes: Math.min(setup.maxItemBytes, setup.maxBytes),
      onDiskWritten: () => this.#disk.written(),
      isDiskFit: () => this.#disk.condition === null,
      wishes: {
        ...{ index, assets, settings, originOf, lookUp },
        onBadCopy: (id) => void this.#drop(id),
      },
    });
    const { isDirectoryCurrent, pace } = ports;
    this.#keeper = new CacheKeeper({
      ...{ index, assets, settings, isDirectoryCurrent, pace, log, onChange, isArriving, onDiskError },
      space: this.#space,
      hashFile: lazyHasher(),
      everyMs: setup.checkEveryMs,
    });
  }

  start(): void {
    this.#keeper.start();
  }

  /** The settings have changed. */
  configure(): void {
    this.#keeper.configure();
  }

  bring(id: string, options: Parameters<Bringing['bring']>[1]): Following {
    return this.#downloads.bring(id, options);
  }

  reportUses(uses: Readonly<Record<string, number>>): void {
    this.#space.use(uses);
  }

  reportBadCopy(id: string): void {
    this.#keeper.reportBadCopy(id);
  }

  get downloadsInProgress(): number {
    return this.#downloads.count;
  }

  get downloads(): DownloadInProgress[] {
    return this.#downloads.inProgress;
  }

  get copiesToRemove(): number {
    return this.#keeper.copiesToRemove;
  }

  /** Copies removed to make room, since the start of the process. */
  get evictions(): number {
    return this.#space.evictions;
  }

  get conditions(): readonly Condition[] {
    const { condition } = this.#disk;
    return condition === null ? [] : [condition];
  }

  /** Resolves when all writes to files and to the index have ended. */
  async close(): Promise<void> {
    await Promise.all([this.#downloads.close(), this.#keeper.stop()]);
    await this.#space.close();
    this.#disk.close();
  }

  async #drop(id: string): Promise<void> {
    try {
      await Promise.all(this.#space.remove([id]));
    } catch (error) {
      this.#disk.failed(error);
    }
  }
}

/** Resolves links, because server processes open files only by paths without links. The missing end of a path has none. */
function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(resolved(parent), basename(path));
  }
}
