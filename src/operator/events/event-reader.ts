// One reader of the events: a response that stays open, and is dropped when its reader does not keep up.
import type { ServerResponse } from 'node:http';

export class EventReader {
  readonly #response: ServerResponse;
  readonly #maxBacklogBytes: number;

  /**
   * @param maxBacklogBytes with more than this unread when there is something to say, the reader is dropped
   * @param gone called once, however it ends
   */
  constructor(response: ServerResponse, maxBacklogBytes: number, gone: (reader: EventReader) => void) {
    this.#response = response;
    this.#maxBacklogBytes = maxBacklogBytes;
    // A connection that breaks is no fault of ours; its errors have no other listener.
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
