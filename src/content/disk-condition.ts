// Whether the cache directory can be written: the condition `CacheNotWritten`, and when to try again.
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Condition, condition } from '../base/condition.ts';
import { codeOf, messageOf } from '../base/errors.ts';
import { removeFile } from './part-file.ts';

/** Pause after a disk error, before a small file is written as a trial. */
export const trialMs = 5000;

const trialBytes = 65_536;

export class DiskCondition {
  readonly #assets: string;
  readonly #onChange: () => void;
  #condition: Condition | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isClosed = false;

  /** @param assets absolute path of the cache directory */
  constructor(assets: string, onChange: () => void) {
    this.#assets = assets;
    this.#onChange = onChange;
  }

  get condition(): Condition | null {
    return this.#condition;
  }

  failed(error: unknown): void {
    const message = `Copies cannot be written to ${this.#assets}: ${messageOf(error)}`;
    const changed = this.#condition?.message !== message;
    this.#condition = condition('CacheNotWritten', reasonOf(error), message);
    if (!this.#isClosed) this.#timer ??= setTimeout(() => void this.#try(), trialMs);
    if (changed) this.#onChange();
  }

  written(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#condition === null) return;
    this.#condition = null;
    this.#onChange();
  }

  close(): void {
    this.#isClosed = true;
    this.written();
  }

  async #try(): Promise<void> {
    this.#timer = null;
    const path = join(this.#assets, '.trial');
    try {
      await mkdir(this.#assets, { recursive: true });
      const handle = await open(path, 'w');
      try {
        await handle.write(Buffer.alloc(trialBytes));
        await handle.sync();
      } finally {
        await handle.close();
        await removeFile(path);
      }
      this.written();
    } catch (error) {
      this.failed(error);
    }
  }
}

function reasonOf(error: unknown): 'DiskFull' | 'ReadOnly' | 'WriteFailed' {
  const code = codeOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') return 'DiskFull';
  return code === 'EROFS' || code === 'EACCES' || code === 'EPERM' ? 'ReadOnly' : 'WriteFailed';
}
