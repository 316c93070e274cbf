// Reads Server-Sent Events (WHATWG HTML §9.2.6) from pieces of text, wherever they were cut.

export interface ReceivedEvent {
  readonly name: string;
  /** Lines of data, joined. */
  readonly data: string;
  /** The last id that was sent so far; '' where none was. */
  readonly lastEventId: string;
}

export class EventParser {
  /** The last id that was sent. */
  lastEventId = '';
  /** What the sender asks a reader to wait before it comes back; null: it does not say. */
  retryMs: number | null = null;
  #rest = '';
  /** A line feed that follows would belong to it. */
  #endsInReturn = false;
  #name = '';
  #data: string[] = [];

  /** @returns the events that this piece has completed */
  push(piece: string): ReceivedEvent[] {
    // A line in many pieces is looked through once, when its end has come.
    if (!this.#endsInReturn && !/[\r\n]/.test(piece)) {
      this.#rest += piece;
      return [];
    }
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    this.#endsInReturn = this.#rest.endsWith('\r');
    return lines.flatMap((line) => this.#line(line));
  }

  #line(line: string): ReceivedEvent[] {
    if (line === '') return this.#dispatch();
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return [];
  }

  #dispatch(): ReceivedEvent[] {
    const { lastEventId } = this;
    const event = { name: this.#name || 'message', data: this.#data.join('\n'), lastEventId };
    const isEmpty = this.#data.length === 0;
    this.#name = '';
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}
