// Opens the files of objects: small ones are cached in memory; for the others the caller gets an open file.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { type FileFacts, factsOf, sameFacts } from '../../machines/answer.ts';
import { assertListed, listedFlags } from '../base/listed-file.ts';

/** A file as it was when it was opened. The caller must close the `handle`. */
export type Copy = FileFacts & ({ readonly bytes: Buffer } | { readonly handle: FileHandle });

type Kept = FileFacts & { readonly bytes: Buffer; checkedAt: number };

/** A cached file is compared with the one on disk again after this long. */
const recheckMs = 1000;
const maxCachedBytes = 256 * 1024;
/** Approximate memory per cached file besides its bytes: bounds the number of empty files. */
const overheadBytes = 1024;

export class HotCache {
  readonly #kept: LRUCache<string, Kept> | null;
  readonly #limit: number;
  readonly #now: () => number;

  /** @param budget bytes of small files to cache; 0: none */
  constructor(budget: number, now: () => number = () => performance.now()) {
    this.#limit = Math.min(maxCachedBytes, Math.floor(budget / 4));
    this.#now = now;
    this.#kept =
      this.#limit > 0 ? new LRUCache({ maxSize: budget, sizeCalculation: ({ size }) => size + overheadBytes }) : null;
  }

  /**
   * @param suits whether this version of the file is the one that the directory describes; other versions are not served from memory
   * @throws {NodeJS.ErrnoException} as `open` does, and ENOENT if there is no regular file at exactly this path
   */
  async open(path: string, suits: (facts: FileFacts) => boolean = () => true): Promise<Copy> {
    const kept = await this.#get(path);
    return kept && suits(kept) ? kept : this.#load(path);
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

/** Whether an open file may have been written since it was opened. */
export async function isChanged({ handle, ...opened }: FileFacts & { readonly handle: FileHandle }): Promise<boolean> {
  const now = await handle.stat();
  // Unlinking or replacing a file changes its ctime too, but none of its bytes.
  return !sameFacts(now.nlink === 0 ? { ...factsOf(now), ctimeMs: opened.ctimeMs } : now, opened);
}

/** Null: the file has become shorter. */
async function readWhole(handle: FileHandle, size: number): Promise<Buffer | null> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) {
    const { bytesRead } = await handle.read(bytes, at, size - at, at);
    if (bytesRead === 0) return null;
    at += bytesRead;
  }
  return bytes;
}
