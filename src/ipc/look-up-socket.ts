// The path of the Unix socket on which the content process answers look-ups.
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The limit of a socket address: 108 bytes on Linux, 104 on macOS, minus the temporary suffix. */
const maxPathBytes = 100;

/**
 * In the state directory if its path is short enough, else in a private folder for temporary files. The same every time.
 * @param stateDirectory absolute
 * @throws {Error} with a reason for the operator if there is no private folder
 */
export function lookUpSocketPath(stateDirectory: string, temporary = tmpdir()): string {
  const path = join(stateDirectory, 'content.sock');
  if (fits(path)) return path;
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 16);
  const folder = join(temporary, `distributor-node-${name}`);
  const other = join(folder, 'content.sock');
  if (!fits(other)) throw new Error(`The paths of ${stateDirectory} and of ${temporary} are too long for a socket`);
  makePrivate(folder);
  return other;
}

const fits = (path: string): boolean => Buffer.byteLength(path) <= maxPathBytes;

/** Another user may have created this folder in a shared directory: use it only if it is private to this user. */
function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = lstatSync(folder);
  const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
  if (!isOurs) throw new Error(`${folder} belongs to another user, or other users may use it: remove it`);
}
