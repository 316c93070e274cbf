// How many bags a query asks for: fewer after an answer that was too large or too slow, then more again.
import { SquidFailure } from './squid-request.ts';

export class PageSize {
  readonly #most: number;
  #bags: number;

  constructor(most: number) {
    this.#most = most;
    this.#bags = most;
  }

  get bags(): number {
    return this.#bags;
  }

  /** @returns null: the answer was too large, so ask for fewer @throws what `ask` throws */
  async adapt<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      const page = await ask();
      this.#bags = Math.min(2 * this.#bags, this.#most);
      return page;
    } catch (error) {
      const { isOversized = false, reason } = error instanceof SquidFailure ? error : {};
      const wasOne = this.#bags === 1;
      if (isOversized || reason === 'NoAnswer') this.#bags = Math.ceil(this.#bags / 2);
      if (isOversized && !wasOne) return null;
      throw error;
    }
  }
}
