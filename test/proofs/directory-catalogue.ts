// A catalogue whose versions differ in objects, buckets, workers and contents of files, beside files that are replaced in place.
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { blake3 } from 'hash-wasm';
import { base58btc } from 'multiformats/bases/base58';
import * as Digest from 'multiformats/hashes/digest';
import { coverage, type Settings } from '../../machines/settings.ts';
import type { ObjectIndex } from '../../src/store/object-index.ts';
import type { Home, HomeOptions } from '../support/harness.ts';
import type { Dice } from './dice.ts';
import {
  bucketIds,
  type Change,
  type ChangingDirectory,
  hitOf,
  type Moment,
  type Seen,
  SettingsRange,
  someBuckets,
} from './directory-answers.ts';

/** `pinned`: each revision is a file of its own, with size and hash stated. `missing`: its file does not exist. */
interface Listed {
  readonly kind: 'pinned' | 'in place' | 'missing';
  readonly revision: number;
  readonly buckets: readonly string[];
}

interface Version {
  readonly objects: ReadonlyMap<string, Listed>;
  readonly workers: readonly (readonly string[])[];
}

interface Content {
  readonly bytes: Buffer;
  readonly hit: string;
  readonly hash: string;
}

const checkEveryMs = 50;
const longestKillMs = 450;
/** Of each file that never changes: more than a content process reads to start and to import. */
export const bigFileBytes = 32 * 1024 * 1024;

export class ChangingCatalogue implements ChangingDirectory {
  readonly name: string;
  readonly settings = new SettingsRange({ workerId: 0, buckets: null });
  readonly ids: readonly string[];
  readonly #format: 'yml' | 'ndjson';
  readonly #bigIds: readonly string[];
  readonly #dice: Dice;
  readonly #versions: Version[] = [];
  readonly #revisions = new Map<string, number>();
  readonly #settledRevisions = new Map<string, number>();
  readonly #contents = new Map<string, Content>();
  /** Content hashes, by the words for a hit. */
  readonly #hashes = new Map<string, string>();
  #home = '';
  #text = '';
  /** The oldest version that may be seen. */
  #low = 0;
  /** Versions whose bytes differ from those before. */
  #written = 0;

  constructor(format: 'yml' | 'ndjson', { objects, bigFiles }: { objects: number; bigFiles: number }, dice: Dice) {
    this.#format = format;
    this.name = format === 'yml' ? 'YAML catalogue' : 'NDJSON catalogue';
    this.#dice = dice;
    this.ids = Array.from({ length: objects }, (_, at) => String(at + 1));
    this.#bigIds = Array.from({ length: bigFiles }, (_, at) => String(1_000_000 + at));
  }

  async home(): Promise<HomeOptions> {
    const more = { catalogue: `./catalogue.${this.#format}`, intervals: { checkCatalogueMs: checkEveryMs } };
    return { more };
  }

  async prepare({ path }: Home): Promise<void> {
    this.#home = path;
    for (const folder of ['pinned', 'in-place', 'big']) await mkdir(join(path, folder));
    for (const id of this.#bigIds) {
      await writeFile(this.#path('big', id), id);
      await truncate(this.#path('big', id), bigFileBytes);
    }
    const dice = this.#dice;
    const objects = new Map<string, Listed>();
    for (const id of this.ids) {
      if (isInPlace(id)) await this.#replace(id);
      if (dice.chance(0.9)) objects.set(id, await this.#listed(id));
    }
    await this.#write({ objects, workers: [['1:0', '1:1'], ['1:2']] });
  }

  async change(what: Change): Promise<void> {
    if (what === 'nothing') return;
    const dice = this.#dice;
    for (let count = dice.below(6); count > 0; count -= 1)
      await this.#replace(String(5 * (1 + dice.below(this.ids.length / 5))));
    if (dice.chance(0.1)) return;
    // Written once more with the same bytes: another file, not another version.
    if (dice.chance(0.1)) return this.#publish();
    const { objects: before, workers } = this.#latest;
    const objects = new Map(before);
    for (let count = 1 + dice.below(this.ids.length / 10); count > 0; count -= 1) {
      const id = dice.pick(this.ids);
      if (dice.chance(0.2)) objects.delete(id);
      else objects.set(id, await this.#listed(id));
    }
    const others = dice.chance(0.3) ? [someBuckets(dice), someBuckets(dice)] : workers;
    await this.#write({ objects, workers: others });
  }

  async someInstant(): Promise<void> {
    await sleep(this.#dice.below(longestKillMs));
  }

  moment(id: string): Moment {
    return {
      version: this.#low,
      settings: this.settings.low,
      revision: this.#settledRevisions.get(id) ?? 0,
      isIndexed: true,
    };
  }

  judge(id: string, from: Moment, { words, etag }: Seen): string | null {
    const possible = new Set<string>();
    const explained: { version: number; settings: number }[] = [];
    for (const [at, version] of this.#versions.slice(from.version).entries()) {
      for (const [next, settings] of this.settings.from(from.settings).entries()) {
        const allowed = this.#allowed(id, version, settings, from.revision);
        for (const one of allowed) possible.add(one);
        if (allowed.includes(words)) explained.push({ version: from.version + at, settings: from.settings + next });
      }
    }
    if (explained.length === 0) return `one of ${[...possible].join(', ')}`;
    // What has been seen is not taken back, by no process, and not by a restart.
    this.#low = Math.max(this.#low, Math.min(...explained.map(({ version }) => version)));
    this.settings.acknowledged(Math.min(...explained.map(({ settings }) => settings)));
    const hash = this.#hashes.get(words);
    return etag === undefined || etag === `"${hash}"` ? null : `the ETag ${hash}, not ${etag}`;
  }

  mismatch(index: ObjectIndex): string | null {
    index.refresh();
    const mark = index.mark('catalogue') as { contentHash: string } | undefined;
    if (mark?.contentHash !== createHash('sha256').update(this.#text).digest('hex')) return 'another catalogue';
    const { objects, workers } = this.#latest;
    const total = objects.size + this.#bigIds.length;
    if (index.summary.totals.objects !== total) return `${index.summary.totals.objects} objects, not ${total}`;
    for (const [id, listed] of objects) {
      const row = index.object(id);
      const isThere = listed.kind !== 'missing';
      const content = isThere ? this.#current(id, listed) : null;
      const bag = row && index.bag(row.bag);
      if (bag?.distributionBuckets.join() !== listed.buckets.join()) return `${id}: ${JSON.stringify(bag)}`;
      const isAsOnDisk = isThere ? row?.file?.hash === content?.hash : row?.file?.problem?.kind === 'missing';
      if (row?.file?.name !== fileOf(id, listed) || !isAsOnDisk) return `${id}: ${JSON.stringify(row)}`;
    }
    for (const bucket of bucketIds) {
      const holders = [0, 1].filter((worker) => workers[worker]?.includes(bucket));
      const known = index.bucket(bucket)?.workers ?? [];
      if (known.join() !== holders.join()) return `bucket ${bucket}: workers ${known}, not ${holders}`;
    }
    return this.#bigIds.every((id) => index.object(id)?.file?.hash) ? null : 'not every file is hashed';
  }

  async settled(): Promise<void> {
    this.#low = this.#versions.length - 1;
    for (const [id, revision] of this.#revisions) this.#settledRevisions.set(id, revision);
    const { objects } = this.#latest;
    const used = new Set([...objects].map(([id, listed]) => fileOf(id, listed)));
    for (const name of await readdir(join(this.#home, 'pinned'))) {
      if (!used.has(`pinned/${name}`)) await rm(this.#path('pinned', name));
    }
  }

  needless(index: ObjectIndex): string | null {
    const { version } = index.summary;
    return version <= this.#written ? null : `${version} imports of ${this.#written} catalogues`;
  }

  async remove(): Promise<void> {}

  get #latest(): Version {
    return this.#versions.at(-1) as Version;
  }

  #allowed(id: string, { objects, workers }: Version, settings: Settings, revision: number): string[] {
    const listed = objects.get(id);
    if (listed === undefined) return ['unknown'];
    if (listed.kind === 'missing') return ['unaccepted'];
    const workersOf = (bucket: string) => [0, 1].filter((worker) => workers[worker]?.includes(bucket));
    if (!coverage(settings, workersOf)(listed.buckets)) return ['elsewhere'];
    if (listed.kind === 'pinned') return [this.#content(id, listed.revision).hit];
    const contents = this.#contentsFrom(id, revision);
    // The index knows the size of the file that was there before.
    const differ = contents.some(({ bytes }) => bytes.length !== contents[0]?.bytes.length);
    return [...contents.map(({ hit }) => hit), ...(differ ? ['absent'] : [])];
  }

  #contentsFrom(id: string, from: number): Content[] {
    const count = (this.#revisions.get(id) ?? 0) - from + 1;
    return Array.from({ length: count }, (_, at) => this.#content(id, from + at));
  }

  #current = (id: string, listed: Listed): Content =>
    this.#content(id, isInPlace(id) ? (this.#revisions.get(id) ?? 0) : listed.revision);

  #content = (id: string, revision: number): Content => this.#contents.get(`${id} ${revision}`) as Content;

  async #make(id: string, revision: number): Promise<Buffer> {
    const seed = createHash('sha256').update(`${id} ${revision}`).digest();
    // Files that are replaced by others of the same size, and by others.
    const length = Number(id) % 2 === 0 ? 1000 : 100 + (seed.readUInt16LE() % 3000);
    const bytes = Buffer.alloc(length, seed);
    const digest = Digest.create(0x1e, Buffer.from(await blake3(bytes), 'hex'));
    const content = { bytes, hit: hitOf(bytes), hash: base58btc.baseEncode(digest.bytes) };
    this.#contents.set(`${id} ${revision}`, content);
    this.#hashes.set(content.hit, content.hash);
    return bytes;
  }

  async #listed(id: string): Promise<Listed> {
    const buckets = someBuckets(this.#dice);
    if (isInPlace(id)) return { kind: 'in place', revision: 0, buckets };
    const revision = (this.#revisions.get(id) ?? -1) + 1;
    this.#revisions.set(id, revision);
    if (this.#dice.chance(0.05)) return { kind: 'missing', revision, buckets };
    const listed: Listed = { kind: 'pinned', revision, buckets };
    await writeFile(join(this.#home, fileOf(id, listed)), await this.#make(id, revision));
    return listed;
  }

  async #replace(id: string): Promise<void> {
    const revision = (this.#revisions.get(id) ?? -1) + 1;
    const bytes = await this.#make(id, revision);
    await writeFile(this.#path('in-place', `${id}~`), bytes);
    this.#revisions.set(id, revision);
    await rename(this.#path('in-place', `${id}~`), this.#path('in-place', id));
  }

  async #write(version: Version): Promise<void> {
    const workers = version.workers.map((buckets, id) => ({ id, buckets }));
    const big = this.#bigIds.map((id) => ({ id, file: `big/${id}`, buckets: ['1:0'] }));
    const objects = [...version.objects].map(([id, listed]) => {
      const { buckets, kind, revision } = listed;
      const { bytes, hash } = kind === 'pinned' ? this.#content(id, revision) : {};
      return { id, file: fileOf(id, listed), buckets, ...(bytes && { size: bytes.length, hash }) };
    });
    const lines = [...objects, ...big, ...workers.map(({ id, buckets }) => ({ worker: id, buckets }))];
    this.#text =
      this.#format === 'yml'
        ? JSON.stringify({ objects: [...objects, ...big], workers })
        : lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    this.#written += 1;
    this.#versions.push(version);
    await this.#publish();
  }

  async #publish(): Promise<void> {
    const path = join(this.#home, `catalogue.${this.#format}`);
    await writeFile(`${path}~`, this.#text);
    await rename(`${path}~`, path);
  }

  #path = (folder: string, name: string): string => join(this.#home, folder, name);
}

const isInPlace = (id: string): boolean => Number(id) % 5 === 0;

const fileOf = (id: string, { kind, revision }: Listed): string =>
  kind === 'in place' ? `in-place/${id}` : kind === 'missing' ? `pinned/none-${id}` : `pinned/${id}.${revision}`;
