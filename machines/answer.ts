// One decision for every asset request: facts and settings in, one word out, and what that word means on the wire.

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
  /** Whether the file at hand has been checked against size and hash, and the file's times when it was. */
  readonly verified: { readonly size: number; readonly mtimeMs: number } | null;
  /** False: known, but its bytes have not (rightly) been uploaded. */
  readonly accepted: boolean;
  readonly buckets: readonly string[];
}

/**
 * The words: `hit` a copy is here; `pending` it is arriving; `miss` ours, to be fetched; `pass` ours, too large to keep;
 * `unknown` to the directory; `unaccepted` known, not uploaded; `elsewhere` known, not distributed by this node.
 */
export type AnswerWord = 'hit' | 'pending' | 'miss' | 'pass' | 'unknown' | 'unaccepted' | 'elsewhere';
