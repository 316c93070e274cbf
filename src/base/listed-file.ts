// Safe opening of a file listed under a path: an regular file at exactly that path, with no symbolic link on the way.
import { constants, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';

/** Without O_NONBLOCK, opening a named pipe blocks a thread until a writer opens it. */
export const listedFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Call it between opening and reading. `O_NOFOLLOW` checks only the last part of a path; a folder on the way may have
 * become a link. The path is read from the open descriptor, so there is no race.
 * @param path absolute, with every link resolved, as it was listed
 * @param opened the result of fstat
 * @throws {NodeJS.ErrnoException} ENOENT: the listed file is no longer at this path
 */
export function assertListed(fd: number, path: string, opened: Stats, descriptors = '/proc/self/fd'): void {
  if (!opened.isFile()) throw absent(`${path} is not an regular file`);
  if (!isAt(fd, path, opened, descriptors)) throw absent(`${path} leads to another place than it did`);
}

function isAt(fd: number, path: string, opened: Stats, descriptors: string): boolean {
  const actual = actualPath(fd, descriptors);
  // The second: the file was opened at this path and has been removed or replaced since.
  if (actual !== null) return actual === path || actual === `${path} (deleted)`;
  const now = statSync(path, { throwIfNoEntry: false });
  return now?.ino === opened.ino && now.dev === opened.dev && realpathSync.native(path) === path;
}

/** Null on systems other than Linux. It does not access the disk. */
function actualPath(fd: number, descriptors: string): string | null {
  try {
    return readlinkSync(`${descriptors}/${fd}`);
  } catch {
    return null;
  }
}

const absent = (message: string): Error => Object.assign(new Error(message), { code: 'ENOENT' });
