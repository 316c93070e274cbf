// The folder of the index. An index that cannot be used is renamed, and an empty one takes its place.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IndexDamaged } from './lmdb-file.ts';
import { IndexMismatch, openIndexReader, openIndexWriter } from './lmdb-index.ts';
import type { IndexSource, IndexWriter, ObjectIndex } from './object-index.ts';

/** How many renamed folders are kept. */
const keptFolders = 2;

export interface Rebuilt {
  readonly reason: 'Damaged' | 'OtherFormat' | 'OtherDirectory';
  /** What is wrong with it, for an operator. */
  readonly message: string;
  /** Absolute path. */
  readonly renamedTo: string;
}

export interface OpenedStore {
  readonly index: IndexWriter;
  /** Why the index is empty although there was one; null: it was used. */
  readonly rebuilt: Rebuilt | null;
}

/** In the folder of an index that was found to be damaged: says how. */
const markerName = 'damaged.txt';

export const indexFolder = (stateDirectory: string): string => join(stateDirectory, 'index');

/**
 * Opens the index for the process that writes it.
 * @param maxBytes of its rows; see `openIndexWriter`
 * @param onDamage called when a later read or transaction meets damage, before it throws
 * @throws an error that says why there can be no index in this state directory
 */
export function openStore(
  stateDirectory: string,
  source: IndexSource,
  maxBytes: number,
  onDamage: (error: Error) => void = () => {},
): OpenedStore {
  const folder = indexFolder(stateDirectory);
  const options = { source, maxBytes, onDamage };
  try {
    checkMarker(folder);
    return { index: openIndexWriter(folder, options), rebuilt: null };
  } catch (error) {
    const reason = rebuildReason(error);
    if (reason === null) throw error;
    const renamedTo = setAside(folder);
    const index = openIndexWriter(folder, options);
    return { index, rebuilt: { reason, message: (error as Error).message, renamedTo } };
  }
}

/** Opens the index for a process that reads it. @throws if there is none yet, or none that can be read */
export function openStoreReader(stateDirectory: string): ObjectIndex {
  const folder = indexFolder(stateDirectory);
  checkMarker(folder);
  return openIndexReader(folder);
}

/**
 * The index is damaged: it is not opened again, but renamed and rebuilt by the next `openStore`. Nothing if there is none.
 * @param message how it was found, for an operator
 */
export function markDamaged(stateDirectory: string, message: string): void {
  const folder = indexFolder(stateDirectory);
  if (!existsSync(folder)) return;
  try {
    writeFileSync(join(folder, markerName), message);
  } catch {
    // A full disk: an empty marker is enough, and without one it is renamed at once.
    if (!existsSync(join(folder, markerName))) setAside(folder);
  }
}

/** @throws {IndexDamaged} if the index was marked */
function checkMarker(folder: string): void {
  const marker = join(folder, markerName);
  if (existsSync(marker)) throw new IndexDamaged(readFileSync(marker, 'utf8') || 'It was found to be damaged');
}

function rebuildReason(error: unknown): Rebuilt['reason'] | null {
  if (error instanceof IndexDamaged) return 'Damaged';
  return error instanceof IndexMismatch ? error.reason : null;
}

/**
 * Renames the folder of an index, and removes earlier ones. Processes that have it open keep reading it.
 * @returns its new absolute path
 */
export function setAside(folder: string): string {
  const stateDirectory = dirname(folder);
  const prefix = `${basename(folder)}.unused-`;
  const earlier = readdirSync(stateDirectory)
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => Number(b.slice(prefix.length)) - Number(a.slice(prefix.length)));
  const latest = Number(earlier[0]?.slice(prefix.length) ?? 0);
  const renamedTo = join(stateDirectory, `${prefix}${latest + 1}`);
  renameSync(folder, renamedTo);
  for (const name of earlier.slice(keptFolders - 1)) rmSync(join(stateDirectory, name), { recursive: true });
  return renamedTo;
}
