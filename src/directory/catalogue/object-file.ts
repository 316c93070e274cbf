// Locates the file of an object: an regular file whose real path is inside the catalogue's folder.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { type FileFacts, factsOf } from '../../../machines/answer.ts';
import { codeOf, messageOf } from '../../base/errors.ts';

export interface FoundFile extends FileFacts {
  /** Absolute, with every link resolved. */
  readonly path: string;
}

/** `outside`: it is a link, or lies behind one, that leads out of the folder. `missing`: there is no file to serve. */
export type Located =
  | { readonly found: FoundFile }
  | { readonly fault: 'missing' | 'outside'; readonly message: string };

/** The real path of the folder, resolved once per round. @throws system errors if there is no such folder */
export const realFolder = (folder: string): string => realpathSync.native(folder);

/**
 * Synchronous: it is called for many objects in a row, and takes microseconds.
 * @param root a folder as `realFolder` gives it
 * @param file relative to it, with forward slashes
 */
export function locateFile(root: string, file: string): Located {
  try {
    const path = realpathSync.native(join(root, file));
    if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) {
      return { fault: 'outside', message: `leads out of the catalogue's folder, to ${path}` };
    }
    const stats = statSync(path);
    if (!stats.isFile()) return { fault: 'missing', message: 'is not an regular file' };
    accessSync(path, constants.R_OK);
    return { found: { path, ...factsOf(stats) } };
  } catch (error) {
    return { fault: 'missing', message: codeOf(error) === 'ENOENT' ? 'does not exist' : messageOf(error) };
  }
}
