// Appends lines to a file: all of them or none.
import { open } from 'node:fs/promises';

export interface AppendOptions {
  /** Whether this many bytes may be added to a file of this size; if not, the file is left unchanged. */
  readonly accepts?: (size: number, adding: number) => boolean;
  /** Waits for the disk (fdatasync): the lines survive a power failure, not only a crash of this process. */
  readonly isSynced?: boolean;
}

/**
 * Opens the file by name, so that a moved file, a replaced directory or a full disk, and its repair, are noticed on
 * the next call. Creates the file, readable by its owner alone, but no directory: a removed one is an error, which must
 * not be hidden.
 * @returns the new size of the file; null: the file was not accepted
 * @throws {Error} with the system's code; the file then has the size it had
 */
export async function appendLines(
  file: string,
  lines: readonly string[],
  { accepts = () => true, isSynced = false }: AppendOptions = {},
): Promise<number | null> {
  const data = Buffer.from(lines.join(''));
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    if (!accepts(size, data.length)) return null;
    // End a line that a crash left incomplete, so that it does not merge with the next one.
    const isTorn = size > 0 && (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0] !== 0x0a;
    const whole = isTorn ? Buffer.concat([Buffer.from('\n'), data]) : data;
    try {
      await handle.appendFile(whole);
      if (isSynced) await handle.datasync();
    } catch (error) {
      // The caller retries all lines: remove a partial write.
      await handle.truncate(size).catch(() => {});
      throw error;
    }
    return size + whole.length;
  } finally {
    await handle.close().catch(() => {});
  }
}
