// Reads a catalogue and finds the file of each of its objects: a whole new directory, or the lines that say why not.
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf, messageOf } from '../errors.ts';
import { type Complaint, parseCatalogue } from './catalogue-file.ts';
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
    if (!statSync(file).isFile()) throw new Error('is not an ordinary file');
    bytes = readFileSync(file);
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
  const located = catalogue.objects.map((object) => locateFile(root, object.file));
  const complaints = located.flatMap((it, index): Complaint[] =>
    'fault' in it && it.fault === 'outside' ? [{ path: ['objects', index, 'file'], message: it.message }] : [],
  );
  if (complaints.length > 0) return { result: 'refused', reason: 'Invalid', errors: parsed.describe(complaints) };
  return { result: 'loaded', root, catalogue, located };
}
