// Finds the files of a folder for its catalogue.
import { fstatSync, type Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { locateFile, realFolder } from './object-file.ts';

export interface FolderFile {
  /** Relative to the folder, with forward slashes. */
  readonly file: string;
  /** Absolute, links resolved. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

export interface FolderFiles {
  /** Sorted by name, in the same order everywhere. */
  readonly files: readonly FolderFile[];
  /** `b.mp4: leads out of …`, for each skipped file. */
  readonly leftOut: readonly string[];
}

const isCatalogue = (name: string): boolean => /^catalogue\.(?:ya?ml|json|ndjson|jsonl)$/i.test(name);
const isHidden = (name: string): boolean => name.startsWith('.');

/**
 * Every regular file, and links to such within the folder. Not: what is hidden, catalogues, links to folders (what is in
 * them is found where it is), links that lead out, and the file this process prints to, which may be about to become the catalogue.
 * @throws system errors where the folder itself cannot be read
 */
export async function findFiles(folder: string): Promise<FolderFiles> {
  const root = realFolder(folder);
  const output = standardOutput();
  const files: FolderFile[] = [];
  const leftOut: string[] = [];

  async function visit(below: string): Promise<void> {
    const entries = await readdir(join(root, below), { withFileTypes: true, encoding: 'buffer' });
    for (const entry of entries) {
      const name = entry.name.toString();
      const file = below === '' ? name : `${below}/${name}`;
      if (isHidden(name)) continue;
      if (!Buffer.from(name).equals(entry.name)) leftOut.push(`${file}: its name is not UTF-8`);
      else if (entry.isDirectory())
        await visit(file).catch((error: Error) => leftOut.push(`${file}: ${error.message}`));
      else if (!isCatalogue(name)) await take(file, entry.isFile() || entry.isSymbolicLink());
    }
  }

  async function take(file: string, isPossible: boolean): Promise<void> {
    if (!isPossible) return;
    const located = locateFile(root, file);
    if (!('found' in located)) {
      const isFolder = await stat(join(root, file)).then(
        (it) => it.isDirectory(),
        () => false,
      );
      if (!isFolder) leftOut.push(`${file}: ${located.message}`);
    } else if (!isSameFile(output, await stat(located.found.path).catch(() => null))) {
      files.push({ file, path: located.found.path, size: located.found.size });
    }
  }

  await visit('');
  files.sort((a, b) => compare(a.file, b.file));
  return { files, leftOut };
}

function standardOutput(): Stats | null {
  try {
    return fstatSync(1);
  } catch {
    return null;
  }
}

const isSameFile = (a: Stats | null, b: Stats | null): boolean =>
  a !== null && b !== null && a.isFile() && a.ino === b.ino && a.dev === b.dev;

/** By code units and not by locale: the ids that follow from the order must be the same wherever this runs. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
