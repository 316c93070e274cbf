// The files in the cache directory that may be copies, in batches. Other files are left alone.
import type { Dir, Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import { copyFolder, copyOfName } from '../store/copy-path.ts';

export interface CacheFile {
  readonly id: string;
  readonly path: string;
  readonly isPart: boolean;
}

const filesAtOnce = 100;
const folderPattern = /^[0-9]{2}$/;

/**
 * Files at the path of a copy or of its part, and whole files at the top of the directory, where the replaced node keeps its own.
 * @throws system errors if the directory cannot be read
 */
export async function* cacheFiles(assets: string): AsyncGenerator<readonly CacheFile[]> {
  const folders: string[] = [];
  const isFlat = ({ isPart }: CacheFile) => !isPart;
  for await (const entries of batches(await opendir(assets))) {
    folders.push(...entries.filter((one) => one.isDirectory() && folderPattern.test(one.name)).map(({ name }) => name));
    yield filesIn(assets, entries).filter(isFlat);
  }
  for (const folder of folders.sort()) {
    const path = join(assets, folder);
    for await (const entries of batches(await openIfThere(path)))
      yield filesIn(path, entries).filter(({ id }) => copyFolder(id) === folder);
  }
}

const filesIn = (folder: string, entries: readonly Dirent[]): CacheFile[] =>
  entries.flatMap((entry) => {
    const copy = entry.isFile() ? copyOfName(entry.name) : null;
    return copy === null ? [] : [{ ...copy, path: join(folder, entry.name) }];
  });

/** Null: the folder was removed after its name was read. */
const openIfThere = (path: string): Promise<Dir | null> =>
  opendir(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  });

async function* batches(folder: Dir | null): AsyncGenerator<readonly Dirent[]> {
  if (folder === null) return;
  let batch: Dirent[] = [];
  for await (const entry of folder) {
    batch.push(entry);
    if (batch.length < filesAtOnce) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
