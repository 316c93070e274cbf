// Judges files in the cache directory that do not match the index: adopts a file whose bytes are right, else removes it.
import { lstatSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileFacts, factsOf, sameFacts } from '../../machines/answer.ts';
import type { HashFile, HashOptions } from '../base/content-hash.ts';
import { messageOf } from '../base/errors.ts';
import { typeOfFile } from '../base/media-type.ts';
import { copyPath } from '../store/copy-path.ts';
import { isCopyOf } from '../store/data-object.ts';
import type { IndexWriter, ObjectRow } from '../store/object-index.ts';
import type { CacheSpace } from './cache-space.ts';
import { removeFile } from './part-file.ts';

export interface JudgePorts {
  readonly index: IndexWriter;
  /** Absolute, with every link resolved. */
  readonly assets: string;
  readonly space: CacheSpace;
  readonly isArriving: (id: string) => boolean;
  /** Whether an object that is not in the index is one that this node must not serve. */
  readonly isDirectoryCurrent: () => boolean;
  readonly hashFile: HashFile;
  readonly pace: NonNullable<HashOptions['pace']>;
  readonly log: (message: string) => void;
}

export class CopyJudge {
  readonly #ports: JudgePorts;

  constructor(ports: JudgePorts) {
    this.#ports = ports;
  }

  /** Whether the file is at its path and unchanged since it was indexed. */
  isAsIndexed(id: string): boolean {
    const { index, assets } = this.#ports;
    const copy = index.copy(id);
    const file = lstatSync(copyPath(assets, id), { throwIfNoEntry: false });
    return copy !== undefined && file?.isFile() === true && sameFacts(file, copy);
  }

  hasFile(id: string): boolean {
    return lstatSync(this.#pathOf(id), { throwIfNoEntry: false })?.isFile() === true;
  }

  /** Judges a complete file. @param path of the copy, or of a file of the replaced node */
  async judge(id: string, path: string, signal: AbortSignal): Promise<void> {
    const { index, isArriving, isDirectoryCurrent } = this.#ports;
    const isOurs = path === this.#pathOf(id);
    if (isArriving(id) || (isOurs && this.isAsIndexed(id))) return;
    index.refresh();
    // The file has changed since it was indexed, so it is not served until it has been checked.
    if (isOurs && index.copy(id) !== undefined) index.transact((tx) => tx.removeCopy(id));
    const row = index.object(id);
    if (row === undefined) {
      if (isOurs && isDirectoryCurrent()) await this.#remove(id, 'the object is not in the directory');
      return;
    }
    const hashed = await this.#check(id, row, path, signal);
    if (typeof hashed === 'string') {
      if (isOurs) await this.#remove(id, hashed);
      return;
    }
    if (hashed === null || isArriving(id)) return;
    const type = await typeOfFile(path);
    await this.#adopt(id, path, { ...hashed, type });
  }

  #pathOf(id: string): string {
    return copyPath(this.#ports.assets, id);
  }

  /** @returns why the file cannot be the copy; null: it cannot be judged now */
  async #check(id: string, row: ObjectRow, path: string, signal: AbortSignal): Promise<Checked | string | null> {
    const { hashFile, pace, log } = this.#ports;
    if (row.hash === null) return 'the directory states no hash';
    const file = statSync(path, { throwIfNoEntry: false });
    if (file === undefined) return null;
    if (!isCopyOf(row, { size: file.size, hash: row.hash })) return 'its size is not that of the object';
    try {
      const hashed = await hashFile(path, { pace, signal });
      if (hashed === null || hashed.hash === row.hash) return hashed;
      return `its hash is ${hashed.hash}, not ${row.hash}`;
    } catch (error) {
      if (!signal.aborted) log(`The file of object ${id} in the cache cannot be read: ${messageOf(error)}`);
      return null;
    }
  }

  /** Runs synchronously from the last check of the file to its row in the index. */
  async #adopt(id: string, path: string, { hash, facts, type }: Checked & { readonly type: string }): Promise<void> {
    const { index, isArriving, space } = this.#ports;
    index.refresh();
    const ours = this.#pathOf(id);
    const file = lstatSync(path, { throwIfNoEntry: false });
    if (isArriving(id) || index.copy(id) !== undefined || !file?.isFile() || !sameFacts(file, facts)) return;
    if (!space.reserve(id, facts.size)) {
      if (path === ours) await this.#remove(id, 'there is no room for it');
      return;
    }
    try {
      if (path !== ours) {
        mkdirSync(dirname(ours), { recursive: true });
        renameSync(path, ours);
      }
      space.add(id, { ...factsOf(lstatSync(ours)), type, hash, originTag: null }, 1);
    } finally {
      space.release(id);
    }
  }

  async #remove(id: string, why: string): Promise<void> {
    if (this.#ports.isArriving(id)) return;
    this.#ports.log(`The file of object ${id} was removed from the cache: ${why}`);
    await removeFile(this.#pathOf(id));
  }
}

interface Checked {
  readonly hash: string;
  readonly facts: FileFacts;
}
