// The entries of a catalogue for a folder of files, one after another.
import { basename } from 'node:path';
import { isCatalogueBucketId } from '../../base/bucket-id.ts';
import { openHasher } from '../../base/content-hash.ts';
import { InputError, messageOf } from '../../base/errors.ts';
import { typeOfFile } from '../../base/media-type.ts';
import { isObjectId, type StatedFile } from './catalogue-schema.ts';
import { type FolderFile, findFiles } from './folder-files.ts';

/** `count`: from 1, in the order of the names. `names`: each file's own name, as in the asset folder of Joystream's node. */
export type IdChoice = 'count' | 'names';

/** Progress; only `filesDone` and `bytesDone` change between calls. */
export interface DescribeProgress {
  readonly files: number;
  readonly filesDone: number;
  readonly bytes: number;
  readonly bytesDone: number;
}

export interface DescribeOptions {
  /** The bucket of all objects; `0:0` by default. */
  readonly bucket?: string;
  /** The worker that holds it; 0 by default. */
  readonly worker?: number;
  /** Required if all names are decimal ids; otherwise `count` by default. */
  readonly ids?: IdChoice;
  /** Called often; the caller limits how often it prints. */
  readonly onProgress?: (progress: DescribeProgress) => void;
}

export type FolderEntry =
  | { readonly object: StatedFile }
  | { readonly worker: { readonly id: number; readonly buckets: readonly string[] } }
  /** A file that is not in the catalogue, and why. */
  | { readonly skipped: string };

/** How many names an error lists. */
const maxNamed = 5;

/**
 * Types, sizes and hashes are all filled in. The objects come first, then the worker.
 * @throws {InputError} for a folder that cannot be read, a bucket or worker that cannot be one, or names that cannot be ids
 */
export async function* folderEntries(folder: string, options: DescribeOptions = {}): AsyncGenerator<FolderEntry> {
  const { bucket = '0:0', worker = 0, ids, onProgress } = options;
  if (!isCatalogueBucketId(bucket)) throw new InputError(`Not a bucket id: ${JSON.stringify(bucket)}`);
  if (!Number.isSafeInteger(worker) || worker < 0) throw new InputError(`Not a worker id: ${worker}`);
  const { files, leftOut } = await findFiles(folder).catch((error: unknown) => {
    throw new InputError(`${folder} cannot be read: ${messageOf(error)}`);
  });
  checkIds(files, ids);
  const hashFile = await openHasher();
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  let objects = 0;
  let bytesDone = 0;
  const report = (filesDone: number) => onProgress?.({ files: files.length, filesDone, bytes, bytesDone });

  for (const line of leftOut) yield { skipped: line };
  report(0);
  for (const [index, { file, path }] of files.entries()) {
    const onBytes = (more: number) => {
      bytesDone += more;
      report(index);
    };
    try {
      const hashed = await hashFile(path, { onBytes });
      if (hashed === null) throw new Error('it changed while it was read');
      const { hash, facts } = hashed;
      const type = await typeOfFile(path);
      const id = ids === 'names' ? basename(file) : String(objects + 1);
      objects += 1;
      yield { object: { id, file, buckets: [bucket], type, size: facts.size, hash } };
    } catch (error) {
      yield { skipped: `${file}: ${messageOf(error)}` };
    }
    report(index + 1);
  }
  yield { worker: { id: worker, buckets: [bucket] } };
}

/** If the names are ids, invented ids would serve the bytes of one object under the id of another. */
function checkIds(files: readonly FolderFile[], ids: IdChoice | undefined): void {
  if (ids === 'count') return;
  const others = files.filter(({ file }) => !isObjectId(basename(file))).map(({ file }) => file);
  if (ids === undefined) {
    if (files.length === 0 || others.length > 0) return;
    throw new InputError(
      [
        'The names of all files are decimal numbers, as in the asset folder of a distributor node, where the name is the id.',
        'Choose: --ids names takes each name as the id; --ids count numbers the files from 1.',
        'With the wrong ids, a request for one object would get another one.',
      ].join('\n'),
    );
  }
  if (others.length > 0) {
    const advice = 'Move these files out of the folder, or use --ids count.';
    throw new InputError(`Names that are not decimal ids: ${listed(others)}. ${advice}`);
  }
  const repeated = repeatedNames(files);
  if (repeated.length > 0) {
    throw new InputError(
      `Files with the same name, and so the same id: ${listed(repeated)}. Keep one file of each name.`,
    );
  }
}

function repeatedNames(files: readonly FolderFile[]): string[] {
  const seen = new Set<string>();
  return files.flatMap(({ file }) => {
    const name = basename(file);
    if (seen.has(name)) return [file];
    seen.add(name);
    return [];
  });
}

function listed(files: readonly string[]): string {
  const more = files.length > maxNamed ? [`and ${files.length - maxNamed} more`] : [];
  return [...files.slice(0, maxNamed).map((file) => JSON.stringify(file)), ...more].join(', ');
}
