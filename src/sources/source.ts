// The source port: fetches the bytes of an object that is not stored here.
import type { Readable } from 'node:stream';
import type { Condition } from '../base/condition.ts';

/** What a source needs to know about an object. */
export interface SourceObject {
  /** Decimal. */
  readonly id: string;
  /** Bytes, from the directory; null: not stated, so the source decides. */
  readonly size: number | null;
  readonly origin: /** Base URLs of the storage nodes that should have it, from the chain: untrusted, perhaps malformed. */
    | { readonly kind: 'storage'; readonly endpoints: readonly string[] }
    /** One URL, from the operator's catalogue. */
    | { readonly kind: 'url'; readonly url: string };
}

/** An opened body at one source. */
export interface Fetched {
  /** Name of the source for logs and conditions: the endpoint of a storage node, or the URL at an origin without its query. */
  readonly source: string;
  /** Size of the whole object: the directory's, else the source's; null: the source does not say. */
  readonly size: number | null;
  /** Strong validator (ETag); null: none. */
  readonly tag: string | null;
  /**
   * The bytes from the requested offset, never beyond the size. Fails if the source ends early, hangs or sends too much, or
   * if the signal is aborted; then `fetch` can be called again with a later offset.
   */
  readonly body: Readable;
}

/** Why no source delivers the bytes: a message for logs, without secrets. */
export class SourcesFailed extends Error {
  override readonly name = 'SourcesFailed';
  /** Whether at least one source answered that it lacks the object (404), and no source failed for another reason. */
  readonly isAbsent: boolean;

  constructor(message: string, isAbsent: boolean) {
    super(message);
    this.isAbsent = isAbsent;
  }
}

export interface SourceTotals {
  readonly source: string;
  /** For bytes. */
  readonly requests: number;
  /** Of requests for bytes, and of questions whether it has an object. */
  readonly failures: number;
  readonly bytes: number;
  /** Sum of the times until the head of an answer has arrived, and the number of these answers. */
  readonly headSeconds: number;
  readonly heads: number;
}

export interface Sources {
  /** Starts to measure response times. */
  start(): void;
  stop(): Promise<void>;
  /**
   * Opens the bytes at the best source that has them; if it fails, tries the next one.
   * @param options.from offset of the first byte
   * @param options.to offset of the last byte; omitted: to the end
   * @param options.tag validator (ETag) that the origin must still have
   * @throws {SourcesFailed}; the signal's reason when it is aborted
   */
  fetch(
    object: SourceObject,
    options: {
      readonly from: number;
      readonly to?: number;
      readonly tag?: string | null;
      readonly signal: AbortSignal;
    },
  ): Promise<Fetched>;
  /**
   * URLs for a process that passes a range through by itself, the best first. At most ten; avoided sources are omitted.
   */
  urls(object: SourceObject): readonly string[];
  /** The bytes of this source were wrong: it is avoided for a while, and a condition names it. */
  reportBad(source: string, why: string): void;
  readonly conditions: readonly Condition[];
  /** Totals since the start by storage node, and by origin for URLs: bounded; the rest is added up as `other`. */
  readonly metrics: readonly SourceTotals[];
  /** @returns a function that unsubscribes */
  subscribe(listener: () => void): () => void;
}
