// Syncs a directory, so that a file created or renamed in it survives a power failure.
import { open } from 'node:fs/promises';
import { codeOf } from './errors.ts';

/** Resolves when the names are on disk, or if the file system cannot sync a directory. @throws system errors */
export type SyncDirectory = (directory: string) => Promise<void>;

/** Codes from file systems that cannot sync a directory (network, container, foreign), and from Windows. */
const unsupported = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EBADF', 'EISDIR']);

/**
 * Where it is not supported, names reach the disk when the kernel writes them. That deserves one warning and must not fail
 * every command.
 */
export function directorySync(warn: (message: string) => void = () => {}, sync = openAndSync): SyncDirectory {
  const warned = new Set<string>();
  return async (directory) => {
    try {
      await sync(directory);
    } catch (error) {
      const code = codeOf(error) ?? '';
      if (!unsupported.has(code)) throw error;
      if (warned.has(directory)) return;
      warned.add(directory);
      warn(
        `The file system of ${directory} cannot sync a directory (${code}): after a power failure, the last changes may be missing.`,
      );
    }
  };
}

async function openAndSync(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
