// The index row of a catalogue's object: what the catalogue states and what is known about the file.
import { sameFacts } from '../../../machines/answer.ts';
import type { FileProblem, FileRow, ObjectRow } from '../../store/object-index.ts';
import type { StatedFile, StatedUrl } from './catalogue-schema.ts';
import type { FoundFile, Located } from './object-file.ts';

/** A row of an object with a file. */
export type CatalogueRow = ObjectRow & { readonly file: FileRow };

/** @param before the row of the same id in the previous catalogue: type and hash of the same version of the file are kept */
export function rowOf(
  { file, size, type, hash }: StatedFile,
  bag: string,
  located: Located,
  before: ObjectRow | undefined,
): CatalogueRow {
  const stated = { bag, size: size ?? null, type: type ?? null, hash: hash ?? null, accepted: true, url: null };
  return { ...stated, file: fileRow(stated, file, located, before?.file ?? null) };
}

/** The row of an object whose bytes are elsewhere. */
export const urlRowOf = ({ url, size, type, hash }: StatedUrl, bag: string): ObjectRow => ({
  ...{ bag, size: size ?? null, type: type ?? null, hash: hash ?? null, accepted: true, file: null, url },
});

/** The row after its file was located. */
export const relocated = (row: CatalogueRow, located: Located): CatalogueRow => ({
  ...row,
  file: fileRow(row, row.file.name, located, row.file),
});

function fileRow(
  stated: Pick<ObjectRow, 'size' | 'hash'>,
  name: string,
  located: Located,
  before: FileRow | null,
): FileRow {
  if ('fault' in located) {
    const kind = located.fault === 'missing' ? 'missing' : 'damaged';
    return { name, found: null, type: null, hash: null, problem: { kind, message: located.message } };
  }
  const { found } = located;
  const { type = null, hash = null } = before !== null && isOf(before, found) ? before : {};
  return { name, found, type, hash, problem: problemOf(stated, found, hash) };
}

/** Whether a file row describes this version of the file. */
export const isOf = ({ found }: FileRow, file: FoundFile): boolean =>
  found !== null && found.path === file.path && sameFacts(found, file);

/** Whether locating the file has shown nothing new. */
export function isAsLocated(row: CatalogueRow, located: Located): boolean {
  if ('found' in located) return isOf(row.file, located.found);
  return row.file.found === null && row.file.problem?.message === located.message;
}

function problemOf({ size, hash }: Pick<ObjectRow, 'size' | 'hash'>, found: FoundFile, actual: string | null) {
  if (size !== null && size !== found.size) return damaged(`has ${found.size} bytes, not ${size}`);
  if (hash !== null && actual !== null && actual !== hash) return damaged(`has the hash ${actual}, not ${hash}`);
  return null;
}

const damaged = (message: string): FileProblem => ({ kind: 'damaged', message });

/** The result of reading a file. */
export type Finding = { readonly type: string } | { readonly hash: string } | { readonly unreadable: string };

/** The row after its file was read. */
export function withFinding(row: CatalogueRow, finding: Finding): CatalogueRow {
  const { file } = row;
  if (file.found === null) return row;
  if ('type' in finding) return { ...row, file: { ...file, type: finding.type } };
  if ('unreadable' in finding) return { ...row, file: { ...file, problem: damaged(finding.unreadable) } };
  return { ...row, file: { ...file, hash: finding.hash, problem: problemOf(row, file.found, finding.hash) } };
}

export const hasNoType = ({ type, file }: CatalogueRow): boolean => type === null && file.type === null;

export const lacksType = (row: CatalogueRow): boolean => row.file.problem === null && hasNoType(row);

export const lacksHash = ({ file }: CatalogueRow): boolean => file.problem === null && file.hash === null;

/** The file could not be read; the cause may be gone by now. */
export const wasUnreadable = ({ size, file }: CatalogueRow): boolean =>
  file.problem !== null && file.found !== null && file.hash === null && (size === null || size === file.found.size);

export const isCatalogueRow = (row: ObjectRow | undefined): row is CatalogueRow =>
  row !== undefined && row.file !== null;
