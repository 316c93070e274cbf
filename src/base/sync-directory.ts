// Puts the names in a directory on disk, so that a file made or renamed there survives the power plug.
import { open } from 'node:fs/promises';
import { codeOf } from './errors.ts';

/** Resolves when the names are on disk, or when the file system has no way to be asked for that. @throws system errors */
export type SyncDirectory = (directory: string) => Promise<void>;

/** What network, container and foreign file systems answer that cannot sync a directory, and Windows for all. */
const unsupported = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EPERM', 'EBADF', 'EISDIR']);

/**
 * Where it is not supported, names reach the disk when the kernel writes them. That is worth one warning, not the failure
 * of every command.
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
        `The file system of ${directory} cannot sync a directory (${code}): after a power failure, what was saved last may be missing.`,
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
