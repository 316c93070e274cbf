// The data object that a row of the index, its bag and its copy describe.
import { type DataObject, factsOf } from '../../machines/answer.ts';
import { copyPath } from './copy-path.ts';
import type { BagAssignment, CopyRow, ObjectRow } from './object-index.ts';
import { isAccepted, sizeOf } from './object-sums.ts';

const unknownType = 'application/octet-stream';

/**
 * An object whose file has a problem is not accepted, and has what the directory states alone.
 * @param copy its copy in the cache; used if the directory names no file
 * @param assets absolute path of the cache directory; needed with a copy
 */
export function dataObject(
  id: string,
  row: ObjectRow,
  bag: Pick<BagAssignment, 'distributionBuckets'>,
  copy?: CopyRow,
  assets?: string,
): DataObject {
  // Without spreads: this runs for every request.
  const { file } = row;
  const accepted = isAccepted(row);
  const buckets = bag.distributionBuckets;
  if (copy !== undefined && assets !== undefined && isCopyOf(row, copy)) {
    return {
      id,
      path: copyPath(assets, id),
      isCopy: true,
      size: copy.size,
      type: copyType(copy.type, row.type),
      hash: row.hash ?? copy.hash,
      verified: copy.hash === null ? null : factsOf(copy),
      accepted,
      buckets,
    };
  }
  const found = accepted && file !== null ? file.found : null;
  // One literal, without spreads: this runs for every request.
  return {
    id,
    path: found === null ? null : found.path,
    size: sizeOf(row),
    type: row.type ?? file?.type ?? null,
    hash: row.hash ?? (found === null ? null : (file?.hash ?? null)),
    verified: found === null || !file?.hash ? null : factsOf(found),
    accepted,
    buckets,
  };
}

/** Whether a copy can belong to this object: the directory names no file, and states the same size and hash. */
export function isCopyOf(
  row: Pick<ObjectRow, 'file' | 'accepted' | 'size' | 'hash'>,
  { size, hash }: Pick<CopyRow, 'size' | 'hash'>,
): boolean {
  if (row.file !== null || !row.accepted) return false;
  return (row.size ?? size) === size && (row.hash ?? hash) === (hash ?? row.hash);
}

/**
 * The type of a copy: from the signature if there is one, else from the directory.
 * @param signature MIME type from the first bytes; `application/octet-stream`: they have no known signature
 */
export const copyType = (signature: string, stated: string | null): string =>
  signature === unknownType ? (stated ?? unknownType) : signature;

/** An object that the index does not contain, with its copy if it can be that. */
export function withCopy(object: DataObject, copy: CopyRow, assets: string): DataObject {
  const { id, path, accepted, size, hash } = object;
  if (path !== null || !isCopyOf({ file: null, accepted, size, hash }, copy)) return object;
  const verified = copy.hash === null ? null : factsOf(copy);
  const type = copyType(copy.type, object.type);
  return {
    ...object,
    path: copyPath(assets, id),
    isCopy: true,
    size: copy.size,
    type,
    hash: hash ?? copy.hash,
    verified,
  };
}
