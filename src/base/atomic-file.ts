// Replaces a file as a whole: after a crash or a power failure it holds either the old contents or the new ones.
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { directorySync, type SyncDirectory } from './sync-directory.ts';

export interface AtomicWriteOptions {
  readonly syncDirectory?: SyncDirectory;
  /** Aborted before the rename, the write leaves the old file in place. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves when the new contents are on disk under their name. Rejects with a system error: a failure before the rename leaves
 * the old file as it was; if only the directory could not be synced, the new file is in place but may not survive a power failure.
 * The temporary file is `<path>.tmp`, so a path has one writer at a time.
 */
export async function writeFileAtomically(
  path: string,
  data: string | Uint8Array,
  { syncDirectory = directorySync(), signal }: AtomicWriteOptions = {},
): Promise<void> {
  const temporary = `${path}.tmp`;
  try {
    await writeSynced(temporary, 'w', data);
    signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Writes for the owner alone and syncs the contents, not the name. `wx` fails with EEXIST where the file exists. */
export async function writeSynced(path: string, flags: 'w' | 'wx', data: string | Uint8Array): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}
