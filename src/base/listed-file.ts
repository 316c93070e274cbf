// Opening a file that is listed under a path: an ordinary file, and the one at that very path, with no link on the way.
import { constants, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';

/** Without O_NONBLOCK, opening a named pipe waits for its writer and holds a thread for ever. */
export const listedFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * To be called between opening and reading. `O_NOFOLLOW` looks at the last part of a path alone; a folder on the way may
 * have become a link that leads anywhere. The opened file is asked where it is, so nothing can change in between.
 * @param path absolute, with every link resolved, as it was listed
 * @param opened what fstat says of the descriptor
 * @throws {NodeJS.ErrnoException} ENOENT: under this path there is no such file any more
 */
export function assertListed(fd: number, path: string, opened: Stats, descriptors = '/proc/self/fd'): void {
  if (!opened.isFile()) throw absent(`${path} is not an ordinary file`);
  if (!isAt(fd, path, opened, descriptors)) throw absent(`${path} leads to another place than it did`);
}

function isAt(fd: number, path: string, opened: Stats, descriptors: string): boolean {
  const actual = actualPath(fd, descriptors);
  // The second: it was opened at this path, and has been removed or replaced since.
  if (actual !== null) return actual === path || actual === `${path} (deleted)`;
  const now = statSync(path, { throwIfNoEntry: false });
  return now?.ino === opened.ino && now.dev === opened.dev && realpathSync.native(path) === path;
}

/** Null: this system does not tell, as only Linux does. It asks no disk. */
function actualPath(fd: number, descriptors: string): string | null {
  try {
    return readlinkSync(`${descriptors}/${fd}`);
  } catch {
    return null;
  }
}

const absent = (message: string): Error => Object.assign(new Error(message), { code: 'ENOENT' });
