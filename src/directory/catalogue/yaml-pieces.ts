// The entries of a YAML catalogue, in pieces of bounded size.
import { isUtf8 } from 'node:buffer';
import type { CatalogueEntry } from './catalogue-entries.ts';
import { parseCatalogue } from './yaml-entries.ts';

const entriesAtOnce = 500;

/** @param name the catalogue's name, without its folder, for the messages */
export function* yamlPieces(bytes: Uint8Array, name: string): Generator<readonly CatalogueEntry[]> {
  if (!isUtf8(bytes)) return yield [{ error: `${name}: is not UTF-8 text` }];
  const parsed = parseCatalogue(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), name);
  if ('errors' in parsed) return yield parsed.errors.map((error) => ({ error }));
  const { objects, workers } = parsed.catalogue;
  for (let at = 0; at < objects.length; at += entriesAtOnce) {
    yield objects.slice(at, at + entriesAtOnce).map((object) => ({ object, line: null }));
  }
  yield workers.map((worker) => ({ worker, line: null }));
}
