// Determines types and hashes of files: of one file, or of the first objects of a catalogue as far as time allows.
import { sameFacts } from '../../../machines/answer.ts';
import type { HashFile, HashOptions } from '../../base/content-hash.ts';
import { messageOf } from '../../base/errors.ts';
import { typeOfFile } from '../../base/media-type.ts';
import type { ObjectRow } from '../../store/object-index.ts';
import type { FoundFile } from './object-file.ts';
import { type Finding, isCatalogueRow, lacksHash, lacksType, withFinding } from './object-row.ts';

/**
 * Reads a whole file.
 * @returns null: it is no longer this version
 * @throws the reason of an aborted signal
 */
export async function hashOf(found: FoundFile, hashFile: HashFile, options: HashOptions): Promise<Finding | null> {
  try {
    const hashed = await hashFile(found.path, options);
    return hashed !== null && sameFacts(hashed.facts, found) ? { hash: hashed.hash } : null;
  } catch (error) {
    options.signal?.throwIfAborted();
    return { unreadable: `cannot be read: ${messageOf(error)}` };
  }
}

/** All types come before the first hash: types are fast to find, and viewers see them. */
export async function workOutSome(
  rows: readonly ObjectRow[],
  hashFile: HashFile,
  options: HashOptions & { readonly signal: AbortSignal },
): Promise<readonly ObjectRow[]> {
  const { signal } = options;
  const done = [...rows];
  for (const [at, row] of done.entries()) {
    if (signal.aborted) return done;
    if (!isCatalogueRow(row)) continue;
    const { found } = row.file;
    if (found && lacksType(row)) done[at] = withFinding(row, { type: await typeOfFile(found.path) });
  }
  for (const [at, row] of done.entries()) {
    if (signal.aborted) return done;
    if (!isCatalogueRow(row)) continue;
    const { found } = row.file;
    if (!found || !lacksHash(row)) continue;
    const finding = await hashOf(found, hashFile, options).catch(() => null);
    if (finding !== null) done[at] = withFinding(row, finding);
  }
  return done;
}
