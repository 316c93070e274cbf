// The order in which commands arrive: each takes its place when its request head has come, and is put to the node when it is up.
import type { IncomingMessage } from 'node:http';

/** Of one command, until it is put to the node or refused. */
export interface Place {
  /** Resolves when no earlier command holds this one up. The caller puts it to the node and leaves in the same turn. */
  turn(): Promise<void>;
  /** May be called twice. */
  leave(): void;
}

interface Taken {
  readonly request: IncomingMessage;
  /** Its body took too long: from now on it holds up its own connection alone. */
  isLate: boolean;
  up: (() => void) | null;
}

/**
 * A command waits for those before it as long as they are being judged: what comes before the machine (token, body, the
 * memory of used tokens) takes longer for some than for others. A body that is still on its way is waited for until
 * `bodyWaitMs` after its head came, however many such senders there are. A refused token ends the wait at once.
 */
export class Places {
  readonly #bodyWaitMs: number;
  readonly #taken = new Set<Taken>();

  constructor(bodyWaitMs: number) {
    this.#bodyWaitMs = bodyWaitMs;
  }

  /** To be called in the same turn in which the head came. */
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

  /** Behind a late one only its own connection waits: what was sent ahead there came after its body. */
  #call(): void {
    const waiting = new Set<unknown>();
    for (const { request, isLate, up } of this.#taken) {
      if (!waiting.has(request.socket)) up?.();
      if (!isLate) return;
      waiting.add(request.socket);
    }
  }
}
