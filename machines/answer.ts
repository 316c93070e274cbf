// The decision for every asset request, from object and settings to one word, and the response for each word.

/** The stat fields that identify a version of a file. A writer can restore the mtime, but not the ctime. */
export interface FileFacts {
  /** Bytes. */
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
}

/** Picks these fields from a stat result. */
export const factsOf = ({ size, mtimeMs, ctimeMs, ino }: FileFacts): FileFacts => ({ size, mtimeMs, ctimeMs, ino });

export const sameFacts = (a: FileFacts, b: FileFacts): boolean =>
  a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino;

/** One object according to the directory and the disk; plain data, sent between processes. */
export interface DataObject {
  /** Decimal. */
  readonly id: string;
  /** Absolute path of its file; null: no file here. */
  readonly path: string | null;
  /** The file is a copy in the cache directory, which can be fetched again; left out: it is not. */
  readonly isCopy?: boolean;
  /** Bytes, according to the directory; null: not known yet. */
  readonly size: number | null;
  /** MIME type; null: not known yet. */
  readonly type: string | null;
  /** BLAKE3 multihash, base58btc; null: not known yet. */
  readonly hash: string | null;
  /** The version of the file whose bytes were checked against size and hash; null: not checked. */
  readonly verified: FileFacts | null;
  /** False: in the directory, but not (correctly) uploaded. */
  readonly accepted: boolean;
  readonly buckets: readonly string[];
}

/**
 * `hit`: a copy is here. `pending`: it is arriving, and the first requested byte is here. `miss`: covered, must be fetched.
 * `pass`: covered, too large to store, or the range is far ahead of what has arrived. `unknown`: not in the directory.
 * `unaccepted`: not uploaded. `absent`: the operator's own file turns out to be missing or wrong when it is opened.
 * `elsewhere`: not distributed by this node. `undecided`: not in the index, and the directory cannot be asked now; or the
 * process that fetches is not there. `unavailable`: covered, but no source has it or can be reached.
 */
export type AnswerWord =
  | 'hit'
  | 'pending'
  | 'miss'
  | 'pass'
  | 'unknown'
  | 'unaccepted'
  | 'absent'
  | 'elsewhere'
  | 'undecided'
  | 'unavailable';

/** An object, or why there is none: not in the directory, or the directory cannot be asked now. */
export type Finding = DataObject | 'unknown' | 'undecided';

/**
 * Whether and from where an object is served, for GET and HEAD.
 * @param covers the predicate from `coverage()`
 */
export function answer(finding: Finding, covers: (objectBuckets: readonly string[]) => boolean): AnswerWord {
  if (typeof finding === 'string') return finding;
  if (!finding.accepted) return 'unaccepted';
  if (!covers(finding.buckets)) return 'elsewhere';
  return finding.path === null ? 'miss' : 'hit';
}

/** How an object that is a `miss` is brought: by fetching it, by passing it through, or not at all. */
export type BringWord = 'arriving' | 'pass' | 'here' | 'unavailable' | 'undecided';

/**
 * The word for a `miss` after the content process was asked to bring the object.
 * @param brought `here`: it has been brought in the meantime
 * @param from offset of the first byte that is wanted
 * @param wasHere bytes that had arrived when it was asked for
 */
export function answerBrought(brought: BringWord, from: number, wasHere: number): AnswerWord {
  switch (brought) {
    case 'arriving':
      return from < wasHere ? 'pending' : 'miss';
    case 'here':
      return 'hit';
    default:
      return brought;
  }
}

/** Whether a HEAD of a `miss` can be answered from what the directory states, so that nothing is fetched for it. */
export const isDescribed = ({ size, type }: DataObject): boolean => size !== null && type !== null;

export interface AnswerRow {
  readonly status: 200 | 404 | 421 | 502 | 503;
  /** Sent with every response for this word, also partial and conditional ones. */
  readonly headers: Readonly<Record<string, string>>;
  /** For people; null if the response is the object itself. */
  readonly message: string | null;
}

const asset = { 'Content-Disposition': 'inline', 'Accept-Ranges': 'bytes' };
/** Unverified bytes may prove wrong: cached for three minutes, then revalidated. */
const briefly = { 'Cache-Control': 'max-age=180, must-revalidate' };
/** The next `set-buckets` may change it. */
const never = { 'Cache-Control': 'no-store' };

/** In seconds. A directory that cannot be asked is retried soon; a source takes longer to come back. */
const soon = { ...never, 'Retry-After': '5' };
const later = { ...never, 'Retry-After': '30' };

/** The response for each word. For the `hit` of a verified copy, `verifiedHeaders` override these headers. */
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
  absent: { status: 404, headers: never, message: 'Data object has no copy here' },
  elsewhere: { status: 421, headers: never, message: 'Data object is not distributed by this node' },
  undecided: { status: 503, headers: soon, message: 'The node cannot find or fetch this data object now' },
  unavailable: { status: 502, headers: later, message: 'No source has this data object' },
};

export const answerWords = Object.keys(answers) as AnswerWord[];

/** A copy's bytes are checked, not yet checked, or cannot be those of the object. */
export type CopyWord = 'verified' | 'unverified' | 'wrong';

/** @param file from fstat of the open file */
export function judgeCopy(object: DataObject, file: FileFacts): CopyWord {
  const { hash, size, verified } = object;
  if (size !== null && size !== file.size) return 'wrong';
  return verified !== null && sameFacts(verified, file) && hash !== null ? 'verified' : 'unverified';
}

/** The bytes for a content hash never change, so caches may store them indefinitely (RFC 8246). */
export function verifiedHeaders(hash: string): Record<string, string> {
  return { ETag: `"${hash}"`, 'Cache-Control': 'max-age=31536000, immutable' };
}
