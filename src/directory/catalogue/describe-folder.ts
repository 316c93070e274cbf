// Writes a catalogue for any folder of files.
import { dump } from 'js-yaml';
import { InputError, messageOf } from '../../base/errors.ts';
import { isCatalogueBucketId, type StatedObject } from './catalogue-schema.ts';
import { openHasher } from './content-hash.ts';
import { findFiles } from './folder-files.ts';
import { typeOfFile } from './media-type.ts';

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
  /** Called often; the caller limits how often it prints. */
  readonly onProgress?: (progress: DescribeProgress) => void;
  /** Called with one line for each skipped file. The lines are also comments in the text. */
  readonly onLeftOut?: (line: string) => void;
}

/**
 * Types, sizes and hashes are all filled in; ids count from 1 in the order of the names. Saved in that folder as
 * `catalogue.yml`, the text is a valid catalogue.
 * @returns YAML
 * @throws {InputError} for a folder that cannot be read, or a bucket or worker that cannot be one
 */
export async function describeFolder(folder: string, options: DescribeOptions = {}): Promise<string> {
  const { bucket = '0:0', worker = 0, onProgress, onLeftOut } = options;
  if (!isCatalogueBucketId(bucket)) throw new InputError(`Not a bucket id: ${JSON.stringify(bucket)}`);
  if (!Number.isSafeInteger(worker) || worker < 0) throw new InputError(`Not a worker id: ${worker}`);
  const { files, leftOut } = await findFiles(folder).catch((error: unknown) => {
    throw new InputError(`${folder} cannot be read: ${messageOf(error)}`);
  });
  const hashFile = await openHasher();
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const unread: string[] = [...leftOut];
  const objects: StatedObject[] = [];
  let bytesDone = 0;
  const report = (filesDone: number) => onProgress?.({ files: files.length, filesDone, bytes, bytesDone });

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
      objects.push({ id: String(objects.length + 1), file, buckets: [bucket], type, size: facts.size, hash });
    } catch (error) {
      unread.push(`${file}: ${messageOf(error)}`);
    }
    report(index + 1);
  }
  for (const line of unread) onLeftOut?.(line);
  return print(objects, { id: worker, buckets: [bucket] }, unread);
}

function print(
  objects: readonly StatedObject[],
  worker: { id: number; buckets: string[] },
  leftOut: readonly string[],
) {
  const comments = leftOut.map((line) => `# Skipped: ${oneLine(line)}\n`);
  return [...comments, list('objects', objects), list('workers', [worker])].join('');
}

/** One entry per line, for grep and diff. */
function list(key: string, entries: readonly object[]): string {
  if (entries.length === 0) return `${key}: []\n`;
  const options = { flowLevel: 0, flowBracketPadding: true, lineWidth: -1, quoteStyle: 'double' } as const;
  return [`${key}:\n`, ...entries.map((entry) => `  - ${dump(entry, options)}`)].join('');
}

/** Escapes everything that any YAML parser takes for a line break, which would end the comment. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\ufeff]/gu, '?');
