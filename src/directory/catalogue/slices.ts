// Divides long synchronous work into short slices, so that the event loop is not blocked.
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long synchronous work may hold the event loop. */
export const sliceMs = 10;

export class Slices {
  #endsAt = performance.now() + sliceMs;

  /** True: the slice is used up; `await next()`. */
  get isOver(): boolean {
    return performance.now() >= this.#endsAt;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#endsAt = performance.now() + sliceMs;
  }
}
