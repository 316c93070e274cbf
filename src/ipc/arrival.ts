// How a server process asks the content process for the bytes of an object that is not here, and follows them as they arrive.

/** A copy that is arriving, or has arrived. */
export interface Arrival {
  /** Absolute path of the file that grows; its descriptor stays valid when the file is renamed. */
  readonly path: string;
  /** Bytes of the whole object. */
  readonly size: number;
  /** Bytes of the file that can be read now, from the start. */
  readonly received: number;
  /** MIME type, from the first bytes. */
  readonly type: string;
  /** `here`: complete, verified and in the index. `failed`: no more bytes will come, or they were wrong. */
  readonly state: 'arriving' | 'here' | 'failed';
}

/** The object is not stored, or its range is far ahead: the server process proxies it from here. */
export interface Passage {
  /** In the order in which they should be tried. */
  readonly urls: readonly string[];
  /** Null: not known. */
  readonly size: number | null;
  readonly type: string | null;
}

/**
 * `unavailable`: no source has it or can be reached. `undecided`: the content process is not there. `here`: read the index again.
 */
export type Brought =
  | {
      readonly result: 'arriving';
      readonly arrival: Arrival;
      /** The download was begun for this request; left out: it was in progress. */
      readonly hasBegun?: boolean;
    }
  | { readonly result: 'pass'; readonly passage: Passage }
  | { readonly result: 'here' | 'unavailable' | 'undecided' };

/** One request that follows a copy; every server process may have many of one object. */
export interface Following {
  /** The first news: never rejects. */
  readonly brought: Promise<Brought>;
  /** The viewer has left, or has all it wants. The download may go on for others. */
  stop(): void;
}

/** The content process implements it; a server process reaches it through the look-up channel. */
export interface Bringing {
  /**
   * Fetches the object unless that is in progress already.
   * @param options.from the first byte the viewer wants: if it is far ahead of what has arrived, the answer is `pass`
   * @param options.onArrival called with each news after the first, until `state` is no longer `arriving`
   */
  bring(
    objectId: string,
    options: { readonly from: number; readonly onArrival: (arrival: Arrival) => void },
  ): Following;
  /** Requests for copies since the last call, for the eviction policy: id → number. */
  reportUses(uses: Readonly<Record<string, number>>): void;
  /** Over all objects; 0 while the content process is not there. */
  readonly downloadsInProgress: number;
}
