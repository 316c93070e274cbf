// What one object adds to the sums of its bag, and an object or a copy to the totals of the index.
import type { BagAssignment, BagRow, CopyRow, IndexTotals, ObjectRow } from './object-index.ts';

export type BagSums = Omit<BagRow, keyof BagAssignment>;

export const noSums: BagSums = { objects: 0, bytes: 0, sizeUnknown: 0, unaccepted: 0 };

export type CopyTotals = Pick<IndexTotals, 'copies' | 'copyBytes'>;

/** The totals of one version of the directory; those of copies belong to all. */
export type VersionTotals = Omit<IndexTotals, keyof CopyTotals>;

export const noTotals: VersionTotals = { objects: 0, bags: 0, files: 0, fileBytes: 0, missing: 0, damaged: 0 };

export const noCopies: CopyTotals = { copies: 0, copyBytes: 0 };

/** Accepted by the directory, and nothing is wrong with its file. */
export const isAccepted = ({ accepted, file }: ObjectRow): boolean =>
  accepted && (file === null || (file.problem === null && file.found !== null));

/** Bytes: of the file if it can be served, else as stated; null: not known. */
export const sizeOf = (row: ObjectRow): number | null =>
  row.file?.found && row.file.problem === null ? row.file.found.size : row.size;

/** @param sign 1: the object is added, -1: removed */
export function withObject(sums: BagSums, row: ObjectRow, sign: 1 | -1): BagSums {
  if (!isAccepted(row)) return { ...sums, unaccepted: sums.unaccepted + sign };
  const size = sizeOf(row);
  return {
    ...sums,
    objects: sums.objects + sign,
    bytes: sums.bytes + sign * (size ?? 0),
    sizeUnknown: sums.sizeUnknown + (size === null ? sign : 0),
  };
}

/** @param sign 1: the object is added, -1: removed */
export function totalsWith(totals: VersionTotals, { file }: ObjectRow, sign: 1 | -1): VersionTotals {
  const objects = totals.objects + sign;
  if (file?.problem) return { ...totals, objects, [file.problem.kind]: totals[file.problem.kind] + sign };
  if (!file?.found) return { ...totals, objects };
  return { ...totals, objects, files: totals.files + sign, fileBytes: totals.fileBytes + sign * file.found.size };
}

/** @param sign 1: the copy is added, -1: removed */
export const copiesWith = ({ copies, copyBytes }: CopyTotals, { size }: CopyRow, sign: 1 | -1): CopyTotals => ({
  ...{ copies: copies + sign, copyBytes: copyBytes + sign * size },
});
