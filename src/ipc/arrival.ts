// How a server process asks the content process for an object that is not stored here, and follows its bytes as they arrive.

/** A copy that is arriving, or has arrived. */
export interface Arrival {
  /** Absolute path of the file that grows; its descriptor stays valid when the file is renamed. */
  readonly path: string;
  /** Bytes of the whole object. */
  readonly size: number;
  /** Bytes of the file that can be read now, from the start. */
  readonly received: number;
  /** MIME type, detected from the first bytes. */
  readonly type: string;
  /** `here`: complete, verified and in the index. `failed`: no more bytes will come, or they were wrong. */
  readonly state: 'arriving' | 'here' | 'failed';
}

/** The object is not stored, or its range is far ahead: the server process proxies it from here. */
export interface Passage {
  /** In the order in which to try them. */
  readonly urls: readonly string[];
  /** Null: not known. */
  readonly size: number | null;
  readonly type: string | null;
}

/**
 * `unavailable`: no source has the object or can be reached. `undecided`: the content process cannot answer. `here`: read the index
 * again.
 */
export type Brought =
  | {
      readonly result: 'arriving';
      readonly arrival: Arrival;
      /** The download was started for this request; omitted: it was already in progress. */
      readonly hasBegun?: boolean;
    }
  | { readonly result: 'pass'; readonly passage: Passage }
  | { readonly result: 'here' | 'unavailable' | 'undecided' };

/** One request that follows a copy; every server process may have many of one object. */
export interface Following {
  /** The first answer; never rejects. */
  readonly brought: Promise<Brought>;
  /** The viewer has left, or needs no more bytes. The download may continue for others. */
  stop(): void;
}

/** The content process implements it; a server process reaches it through the look-up channel. */
export interface Bringing {
  /**
   * Fetches the object, unless a download of it is in progress.
   * @param options.from offset of the first byte requested: if it is far ahead of the received bytes, the answer is `pass`
   * @param options.onArrival called with each news after the first, until `state` is no longer `arriving`
   */
  bring(
    objectId: string,
    options: { readonly from: number; readonly onArrival: (arrival: Arrival) => void },
  ): Following;
  /** Requests for copies since the last call, for the eviction policy: id → number. */
  reportUses(uses: Readonly<Record<string, number>>): void;
  /** Number of downloads; 0 without a content process. */
  readonly downloadsInProgress: number;
}
