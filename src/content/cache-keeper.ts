// Keeps files and index in step in the background: files that are not indexed, rows without a file, copies no longer needed.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { coverage, type Settings } from '../../machines/settings.ts';
import { copyPath } from '../store/copy-path.ts';
import { isCopyOf } from '../store/data-object.ts';
import { type CacheFile, cacheFiles } from './cache-files.ts';
import { CopyJudge, type JudgePorts } from './copy-judge.ts';
import { removeFile } from './part-file.ts';

export interface KeeperPorts extends JudgePorts {
  readonly settings: () => Settings;
  /** Pause between two rounds, and between a change of settings and the first removal. */
  readonly everyMs: number;
  /** A round could not be completed. */
  readonly onDiskError: (error: unknown) => void;
  readonly onChange: () => void;
}

const idsAtOnce = 100;
/** Pause between two batches of files or rows. */
const batchPauseMs = 20;
/** Maximum number of obsolete copies removed per second. */
const removalsPerSec = 500;
/** Pause between a change of settings and the count of copies to remove: another change may follow. */
const countMs = 500;
/** Maximum number of pending reports of bad copies. */
const maxReports = 1000;

export class CacheKeeper {
  readonly #ports: KeeperPorts;
  readonly #judge: CopyJudge;
  readonly #abort = new AbortController();
  readonly #reports = new Set<string>();
  #wake = new AbortController();
  #running: Promise<unknown> | null = null;
  #checking: Promise<void> | null = null;
  #roundCount = 0;
  #copiesToRemove = 0;

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
    this.#judge = new CopyJudge(ports);
  }

  /** Copies that the settings no longer cover, or that are no longer in the directory. */
  get copiesToRemove(): number {
    return this.#copiesToRemove;
  }

  start(): void {
    this.#running ??= Promise.all([this.#runRounds(), this.#applySettings()]);
  }

  /** The settings have changed: copies that they no longer cover are counted soon, and removed after the next pause. */
  configure(): void {
    this.#wake.abort();
  }

  /** The file of a copy is missing or wrong. */
  reportBadCopy(id: string): void {
    if (this.#reports.size < maxReports) this.#reports.add(id);
    this.#check();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#wake.abort();
    await Promise.all([this.#running, this.#checking]);
  }

  get #isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  async #runRounds(): Promise<void> {
    while (!this.#isStopped) {
      await this.#attempt(() => this.#runRound());
      await this.#yield(this.#ports.everyMs);
    }
  }

  /** A change of settings restarts the wait, so a change that is reverted in time removes nothing. */
  async #applySettings(): Promise<void> {
    while (!this.#isStopped) {
      this.#wake = new AbortController();
      if (!(await this.#pause(countMs))) continue;
      await this.#attempt(() => this.#count());
      if (await this.#pause(this.#ports.everyMs)) await this.#attempt(() => this.#removeObsolete());
    }
  }

  /** A disk error ends a round; the next round starts after the pause. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    if (this.#isStopped) return;
    try {
      await work();
    } catch (error) {
      if (!this.#isStopped) this.#ports.onDiskError(error);
    }
  }

  /** @returns false: the settings have changed, or the keeper was stopped */
  #pause(ms: number): Promise<boolean> {
    const { signal } = this.#wake;
    return sleep(ms, true, { signal }).catch(() => false);
  }

  #check(): void {
    this.#checking ??= this.#attempt(() => this.#checkReports()).then(() => {
      this.#checking = null;
      // More reports have arrived since the last one was taken.
      if (this.#reports.size > 0 && !this.#isStopped) this.#check();
    });
  }

  async #checkReports(): Promise<void> {
    for (const id of this.#reports) {
      this.#reports.delete(id);
      this.#ports.index.refresh();
      if (!this.#dropMissing([id])) await this.#judge.judge(id, this.#pathOf(id), this.#abort.signal);
    }
  }

  #pathOf(id: string): string {
    return copyPath(this.#ports.assets, id);
  }

  async #runRound(): Promise<void> {
    const { index, assets } = this.#ports;
    index.refresh();
    // The first download creates the directory.
    if (index.summary.totals.copies === 0 && !existsSync(assets)) return;
    this.#roundCount += 1;
    // If the directory is missing, for example because a disk is not mounted, this throws before any row is dropped.
    for await (const files of cacheFiles(assets)) {
      for (const file of files) {
        if (this.#isStopped) return;
        await this.#inspect(file);
      }
      await this.#yield(batchPauseMs);
    }
    await this.#eachBatch(async (ids) => this.#dropMissing(ids) || true);
  }

  async #inspect({ id, path, isPart }: CacheFile): Promise<void> {
    const { isArriving } = this.#ports;
    if (isArriving(id)) return;
    if (!isPart) await this.#judge.judge(id, path, this.#abort.signal);
    // After a restart, a part is kept for one round: a viewer may request the rest.
    else if (this.#roundCount > 1 || !this.#canResume(id)) await removeFile(path);
  }

  #canResume(id: string): boolean {
    const row = this.#ports.index.object(id);
    return row !== undefined && row.hash !== null && row.size !== null && row.file === null;
  }

  /** @returns whether rows were removed because their files are gone */
  #dropMissing(ids: readonly string[]): boolean {
    const { index, isArriving, space } = this.#ports;
    const isMissing = (id: string) => index.copy(id) !== undefined && !isArriving(id) && !this.#judge.hasFile(id);
    const missing = ids.filter(isMissing);
    if (missing.length > 0) void space.remove(missing);
    return missing.length > 0;
  }

  async #count(): Promise<void> {
    let count = 0;
    await this.#eachBatch(async (ids) => {
      const isObsolete = this.#obsolescence();
      count += ids.filter(isObsolete).length;
    }, 0);
    this.#show(count);
  }

  async #removeObsolete(): Promise<void> {
    const { isArriving, space } = this.#ports;
    const { signal } = this.#wake;
    await this.#eachBatch(async (ids) => {
      if (signal.aborted) return false;
      const isObsolete = this.#obsolescence();
      const obsolete = ids.filter((id) => isObsolete(id) && !isArriving(id));
      if (obsolete.length === 0) return true;
      await Promise.all(space.remove(obsolete));
      this.#show(Math.max(0, this.#copiesToRemove - obsolete.length));
      await this.#yield((obsolete.length * 1000) / removalsPerSec);
      return true;
    }, 0);
  }

  #show(copiesToRemove: number): void {
    if (copiesToRemove === this.#copiesToRemove) return;
    this.#copiesToRemove = copiesToRemove;
    this.#ports.onChange();
  }

  /** Uses the current settings and the current index. */
  #obsolescence(): (id: string) => boolean {
    const { index, settings, isDirectoryCurrent } = this.#ports;
    index.refresh();
    const isRead = index.summary.readAt !== null;
    const isCurrent = isDirectoryCurrent();
    const covers = coverage(settings(), (bucket) => index.bucket(bucket)?.workers ?? []);
    return (id) => {
      const row = index.object(id);
      const copy = index.copy(id);
      if (copy === undefined) return false;
      if (row === undefined) return isCurrent;
      const bag = index.bag(row.bag);
      return isRead && (!isCopyOf(row, copy) || bag === undefined || !covers(bag.distributionBuckets));
    };
  }

  /** Visits all copies in batches. @param visit returns false to stop */
  async #eachBatch(visit: (ids: readonly string[]) => Promise<unknown>, pauseMs = batchPauseMs): Promise<void> {
    for (let after = ''; !this.#isStopped; ) {
      this.#ports.index.refresh();
      const ids = this.#idsAfter(after);
      const last = ids.at(-1);
      if (last === undefined || (await visit(ids)) === false) return;
      after = last;
      await this.#yield(pauseMs);
    }
  }

  #idsAfter(after: string): string[] {
    const ids: string[] = [];
    for (const id of this.#ports.index.copyIds(after)) {
      ids.push(id);
      if (ids.length === idsAtOnce) break;
    }
    return ids;
  }

  /** Lets other work run. */
  async #yield(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#abort.signal }).catch(() => {});
  }
}
