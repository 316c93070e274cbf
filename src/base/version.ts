// Version and location of the package, read from its package.json at run time.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

function findRoot(): URL {
  for (let folder = new URL('./', import.meta.url); ; folder = new URL('../', folder)) {
    if (existsSync(new URL('package.json', folder))) return folder;
    if (folder.pathname === '/') throw new Error('The package.json of this program is missing');
  }
}

const root = findRoot();

/** Absolute, with a slash at its end. */
export const packageRoot: string = fileURLToPath(root);

export const version: string = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).version;
