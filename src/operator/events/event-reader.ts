// One reader of the event stream: a response that stays open, and is closed if the client does not keep up.
import type { ServerResponse } from 'node:http';

export class EventReader {
  readonly #response: ServerResponse;
  readonly #maxBacklogBytes: number;

  /**
   * @param maxBacklogBytes the reader is dropped if more than this is unread when an event is sent
   * @param gone called once, when the response closes
   */
  constructor(response: ServerResponse, maxBacklogBytes: number, gone: (reader: EventReader) => void) {
    this.#response = response;
    this.#maxBacklogBytes = maxBacklogBytes;
    // A broken connection is not an error here; without a listener it would crash the process.
    response.on('error', () => {});
    response.once('close', () => gone(this));
  }

  send(text: string): void {
    const response = this.#response;
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > this.#maxBacklogBytes) response.destroy();
    else response.write(text);
  }

  end(): void {
    this.#response.end();
  }
}
