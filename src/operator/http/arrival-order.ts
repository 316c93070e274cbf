// Keeps commands in order of arrival: each takes a place when its request head arrives, and reaches the node in turn.
import type { IncomingMessage } from 'node:http';

/** The place of one command, until it reaches the node or is refused. */
export interface Place {
  /** Resolves when no earlier command blocks this one. The caller passes it to the node and leaves in the same tick. */
  turn(): Promise<void>;
  /** May be called twice. */
  leave(): void;
}

interface Taken {
  readonly request: IncomingMessage;
  /** Its body is late: it now blocks only its own connection. */
  isLate: boolean;
  up: (() => void) | null;
}

/**
 * A command waits while earlier ones are checked: the steps before the machine (token, body, used tokens) vary in
 * duration. An incomplete body is waited for up to `bodyWaitMs` after its head; waits of several such clients do not add
 * up. A refused token ends the wait at once.
 */
export class Places {
  readonly #bodyWaitMs: number;
  readonly #taken = new Set<Taken>();

  constructor(bodyWaitMs: number) {
    this.#bodyWaitMs = bodyWaitMs;
  }

  /** Call in the tick in which the head arrives. */
  take(request: IncomingMessage): Place {
    const place: Taken = { request, isLate: false, up: null };
    this.#taken.add(place);
    const timer = setTimeout(() => {
      place.isLate = !request.complete;
      this.#call();
    }, this.#bodyWaitMs);
    return {
      turn: () =>
        new Promise((resolve) => {
          place.up = resolve;
          this.#call();
        }),
      leave: () => {
        clearTimeout(timer);
        if (this.#taken.delete(place)) this.#call();
      },
    };
  }

  /** A late request blocks only its own connection, where later requests follow its body. */
  #call(): void {
    const waiting = new Set<unknown>();
    for (const { request, isLate, up } of this.#taken) {
      if (!waiting.has(request.socket)) up?.();
      if (!isLate) return;
      waiting.add(request.socket);
    }
  }
}
