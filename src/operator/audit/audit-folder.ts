// File names of an audit log: the current file and the rotated ones beside it.
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { codeOf } from '../../base/errors.ts';

export interface OlderFile {
  readonly path: string;
  /** When it was rotated: no entry in it is newer. Milliseconds since the epoch. */
  readonly endedMs: number;
}

/** `audit.jsonl` → `audit-`, `.jsonl`. */
function partsOf(file: string): { readonly stem: string; readonly ending: string } {
  const ending = extname(file);
  return { stem: `${basename(file, ending)}-`, ending };
}

/** The name of a rotated file: `audit-2026-11-23T08-00-00.000Z.jsonl`. Names sort as times do. */
export function olderName(file: string, endedMs: number): string {
  const { stem, ending } = partsOf(file);
  return join(dirname(file), `${stem}${new Date(endedMs).toISOString().replaceAll(':', '-')}${ending}`);
}

/** Oldest first. Files with other names are ignored. */
export async function olderFiles(file: string): Promise<OlderFile[]> {
  const { stem, ending } = partsOf(file);
  const names = await readdir(dirname(file)).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.startsWith(stem) && name.endsWith(ending))
    .map((name) => ({
      path: join(dirname(file), name),
      endedMs: timeIn(name.slice(stem.length, name.length - ending.length)),
    }))
    .filter(({ endedMs, path }) => Number.isFinite(endedMs) && path === olderName(file, endedMs))
    .sort((a, b) => a.endedMs - b.endedMs);
}

/** `2026-11-23T08-00-00.000Z` */
const timeIn = (text: string): number => Date.parse(text.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));
