// Reads Server-Sent Events (WHATWG HTML §9.2.6) from pieces of text, cut anywhere.

export interface ReceivedEvent {
  readonly name: string;
  /** Lines of data, joined. */
  readonly data: string;
  /** The last id sent so far; '' if none. */
  readonly lastEventId: string;
}

export class EventParser {
  /** Id of the last complete event; an id in an incomplete one does not count. */
  lastEventId = '';
  /** Reconnection time set by the server; null: not set. */
  retryMs: number | null = null;
  #rest = '';
  /** The last line ended in CR; a following LF belongs to it. */
  #endsInReturn = false;
  #id = '';
  #name = '';
  #data: string[] = [];

  /** Drop an incomplete event: the next piece is from a new connection. */
  reset(): void {
    this.#rest = '';
    this.#endsInReturn = false;
    this.#id = this.lastEventId;
    this.#name = '';
    this.#data = [];
  }

  /** @returns the events that this piece completes */
  push(piece: string): ReceivedEvent[] {
    // A line in many pieces is scanned once, when it is complete.
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
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return [];
  }

  #dispatch(): ReceivedEvent[] {
    this.lastEventId = this.#id;
    const { lastEventId } = this;
    const event = { name: this.#name || 'message', data: this.#data.join('\n'), lastEventId };
    const isEmpty = this.#data.length === 0;
    this.#name = '';
    this.#data = [];
    return isEmpty ? [] : [event];
  }
}
