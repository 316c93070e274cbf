// Opens the files of objects: small ones are kept in memory, of the others the caller gets a file descriptor to own.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { type FileFacts, factsOf, sameFacts } from '../../machines/answer.ts';
import { assertListed, listedFlags } from '../base/listed-file.ts';

/** A file as it was when it was opened. Whoever gets a `handle` closes it. */
export type Copy = FileFacts & ({ readonly bytes: Buffer } | { readonly handle: FileHandle });

type Kept = FileFacts & { readonly bytes: Buffer; checkedAt: number };

/** A file in memory is compared with the one on disk again after this long: no request is answered from older knowledge. */
const recheckMs = 1000;
const largestKept = 256 * 1024;
/** What a file in memory takes beside its bytes, about: without it, a budget for bytes would hold any number of empty files. */
const keepingBytes = 1024;

export class HotCache {
  readonly #kept: LRUCache<string, Kept> | null;
  readonly #limit: number;
  readonly #now: () => number;

  /** @param budget bytes of small files to keep in memory; 0: none */
  constructor(budget: number, now: () => number = () => performance.now()) {
    this.#limit = Math.min(largestKept, Math.floor(budget / 4));
    this.#now = now;
    this.#kept =
      this.#limit > 0 ? new LRUCache({ maxSize: budget, sizeCalculation: ({ size }) => size + keepingBytes }) : null;
  }

  /** @throws {NodeJS.ErrnoException} as `open` does, and ENOENT where no ordinary file is at this very path */
  async open(path: string): Promise<Copy> {
    const kept = await this.#get(path);
    return kept ?? this.#load(path);
  }

  /** After a change of the directory the disk is asked again. */
  clear(): void {
    this.#kept?.clear();
  }

  async #get(path: string): Promise<Kept | undefined> {
    const kept = this.#kept?.get(path);
    if (kept === undefined || this.#now() - kept.checkedAt < recheckMs) return kept;
    if (sameFacts(await stat(path), kept)) {
      kept.checkedAt = this.#now();
      return kept;
    }
    this.#kept?.delete(path);
    return undefined;
  }

  async #load(path: string): Promise<Copy> {
    const handle = await open(path, listedFlags);
    let handedOver = false;
    try {
      const opened = await handle.stat();
      assertListed(handle.fd, path, opened);
      const facts = factsOf(opened);
      const bytes = facts.size <= this.#limit ? await readWhole(handle, facts.size) : null;
      if (bytes !== null && sameFacts(await handle.stat(), facts)) {
        const kept = { ...facts, bytes, checkedAt: this.#now() };
        this.#kept?.set(path, kept);
        return kept;
      }
      handedOver = true;
      return { ...facts, handle };
    } finally {
      if (!handedOver) await handle.close();
    }
  }
}

/** Whether an open file may have been written to since it was opened. */
export async function isChanged({ handle, ...opened }: FileFacts & { readonly handle: FileHandle }): Promise<boolean> {
  const now = await handle.stat();
  // Removing or replacing a file changes its ctime too, and no byte of it.
  return !sameFacts(now.nlink === 0 ? { ...factsOf(now), ctimeMs: opened.ctimeMs } : now, opened);
}

/** Null: the file is no longer as long as it was. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer | null> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) return null;
    at += bytesRead;
  }
  return bytes;
}
