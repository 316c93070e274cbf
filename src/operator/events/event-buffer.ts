// A ring buffer of numbered events in wire format, for readers that reconnect.

/** One event in the format of WHATWG HTML §9.2.6: field lines, then an empty line. */
export const eventText = (name: string, data: unknown, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export interface BufferLimits {
  readonly maxBytes: number;
  readonly maxCount?: number;
}

export interface BufferedEvent {
  readonly number: number;
  readonly text: string;
}

/** Drops the oldest events to make room for the newest. */
export class EventBuffer {
  readonly #limits: Required<BufferLimits>;
  #events: BufferedEvent[] = [];
  #bytes = 0;

  constructor(limits: BufferLimits) {
    this.#limits = { maxCount: Number.POSITIVE_INFINITY, ...limits };
  }

  add(event: BufferedEvent): void {
    const { maxBytes, maxCount } = this.#limits;
    this.#events.push(event);
    this.#bytes += Buffer.byteLength(event.text);
    let gone = 0;
    while (this.#bytes > maxBytes || this.#events.length - gone > maxCount) {
      this.#bytes -= Buffer.byteLength(this.#events[gone]?.text ?? '');
      gone += 1;
    }
    if (gone > 0) this.#events = this.#events.slice(gone);
  }

  get all(): readonly BufferedEvent[] {
    return this.#events;
  }

  /** All events after this number; null: some have been dropped. */
  after(number: number, last: number): readonly BufferedEvent[] | null {
    if (number > last) return null;
    if (number === last) return [];
    const first = this.#events[0];
    if (first === undefined || first.number > number + 1) return null;
    return this.#events.slice(number + 1 - first.number);
  }
}
