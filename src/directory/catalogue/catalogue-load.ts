// Reads a catalogue and finds the file of each of its objects: a whole new directory, or the lines that say why not.
import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf, messageOf } from '../../base/errors.ts';
import { parseCatalogue } from './catalogue-file.ts';
import type { Catalogue } from './catalogue-schema.ts';
import { type Located, locateFile, realFolder } from './object-file.ts';

export type CatalogueLoad =
  | {
      readonly result: 'loaded';
      /** The real path of the catalogue's folder. */
      readonly root: string;
      readonly catalogue: Catalogue;
      /** Where each object's file is, in the catalogue's order. */
      readonly located: readonly Located[];
    }
  | {
      readonly result: 'refused';
      /** `Unreadable` may pass by itself; `Invalid` has to be mended. */
      readonly reason: 'Missing' | 'Unreadable' | 'Invalid';
      readonly errors: readonly string[];
    };

/**
 * Synchronous, for a thread of its own: a hundred thousand objects take a second or two.
 * @param file absolute
 */
export function loadCatalogue(file: string): CatalogueLoad {
  let bytes: Buffer;
  let root: string;
  try {
    bytes = bytesOf(file);
    root = realFolder(dirname(file));
  } catch (error) {
    const reason = codeOf(error) === 'ENOENT' ? 'Missing' : 'Unreadable';
    return { result: 'refused', reason, errors: [`${basename(file)}: ${messageOf(error)}`] };
  }
  const parsed = isUtf8(bytes)
    ? parseCatalogue(bytes.toString('utf8'), file)
    : { errors: [`${basename(file)}: is not UTF-8 text`] };
  if ('errors' in parsed) return { result: 'refused', reason: 'Invalid', errors: parsed.errors };
  const { catalogue } = parsed;
  return { result: 'loaded', root, catalogue, located: catalogue.objects.map(({ file }) => locateFile(root, file)) };
}

function bytesOf(file: string): Buffer {
  // Opening a pipe without O_NONBLOCK would wait for its writer.
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) throw new Error('is not an ordinary file');
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
