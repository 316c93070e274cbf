// One decision for every asset request: facts and settings in, one word out, and what that word means on the wire.

/** What tells one state of a file from another, as stat has it. Whoever writes to a file can put its mtime back, but not its ctime. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** Out of more that stat says. */
export const factsOf = ({ size, mtimeMs, ctimeMs, ino }: FileFacts): FileFacts => ({ size, mtimeMs, ctimeMs, ino });

export const sameFacts = (a: FileFacts, b: FileFacts): boolean =>
  a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;

/** What the directory and the disk say of one object; plain data, it crosses process borders. */
export interface DataObject {
  /** Decimal. */
  readonly id: string;
  /** Absolute path of its file; null: there is none here. */
  readonly path: string | null;
  /** Bytes, as the directory says; null: not known yet. */
  readonly size: number | null;
  /** MIME type; null: not known yet. */
  readonly type: string | null;
  /** BLAKE3 multihash, base58btc; null: not known yet. */
  readonly hash: string | null;
  /** The state of the file in which its bytes were checked against size and hash; null: they have not been. */
  readonly verified: FileFacts | null;
  /** False: known, but its bytes have not (rightly) been uploaded. */
  readonly accepted: boolean;
  readonly buckets: readonly string[];
}

/**
 * The words: `hit` a copy is here; `pending` it is arriving; `miss` ours, to be fetched; `pass` ours, too large to keep;
 * `unknown` to the directory; `unaccepted` known, not uploaded; `elsewhere` known, not distributed by this node.
 */
export type AnswerWord = 'hit' | 'pending' | 'miss' | 'pass' | 'unknown' | 'unaccepted' | 'elsewhere';

/**
 * Whether and from where an object is served. GET and HEAD share this decision.
 * @param object what is known of it; undefined: the directory has no such object
 * @param covers whether these settings cover an object in these buckets, as `coverage()` makes it
 */
export function answer(
  object: DataObject | undefined,
  covers: (objectBuckets: readonly string[]) => boolean,
): AnswerWord {
  if (object === undefined) return 'unknown';
  if (!object.accepted) return 'unaccepted';
  if (!covers(object.buckets)) return 'elsewhere';
  return object.path === null ? 'miss' : 'hit';
}

export interface AnswerRow {
  readonly status: 200 | 404 | 421;
  /** Sent with every answer of this word, whatever its range or condition. */
  readonly headers: Readonly<Record<string, string>>;
  /** For a person; null where the object itself is the answer. */
  readonly message: string | null;
}

const asset = { 'Content-Disposition': 'inline', 'Accept-Ranges': 'bytes' };
/** What is still arriving may prove wrong: kept for three minutes, then asked for again. */
const briefly = { 'Cache-Control': 'max-age=180, must-revalidate' };
/** The next `set-buckets` may change it. */
const never = { 'Cache-Control': 'no-store' };

/** What each word means on the wire. A verified copy's `hit` has the headers of `verifiedHeaders` over these. */
export const answers: Readonly<Record<AnswerWord, AnswerRow>> = {
  hit: { status: 200, headers: { ...asset, ...briefly, 'X-Cache': 'hit', 'X-Data-Source': 'local' }, message: null },
  pending: {
    status: 200,
    headers: { ...asset, ...briefly, 'X-Cache': 'pending', 'X-Data-Source': 'local' },
    message: null,
  },
  miss: { status: 200, headers: { ...asset, ...briefly, 'X-Cache': 'miss', 'X-Data-Source': 'local' }, message: null },
  pass: {
    status: 200,
    headers: { ...asset, ...briefly, 'X-Cache': 'miss', 'X-Data-Source': 'external' },
    message: null,
  },
  unknown: { status: 404, headers: never, message: 'Data object does not exist' },
  unaccepted: { status: 404, headers: never, message: 'Data object has not been uploaded' },
  elsewhere: { status: 421, headers: never, message: 'Data object is not distributed by this node' },
};

export const answerWords = Object.keys(answers) as AnswerWord[];

/** What an object's file is worth: its bytes have been checked; not yet; or they cannot be this object's. */
export type CopyWord = 'verified' | 'unverified' | 'wrong';

/** @param file what fstat says of the open file */
export function judgeCopy(object: DataObject, file: FileFacts): CopyWord {
  const { hash, size, verified } = object;
  if (size !== null && size !== file.size) return 'wrong';
  return verified !== null && sameFacts(verified, file) && hash !== null ? 'verified' : 'unverified';
}

/** A content hash never means other bytes, so its copy may be kept as long as caches keep anything (RFC 8246). */
export function verifiedHeaders(hash: string): Record<string, string> {
  return { ETag: `"${hash}"`, 'Cache-Control': 'max-age=31536000, immutable' };
}
