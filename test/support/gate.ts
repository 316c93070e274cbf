// A point that steps have to pass in a test: they can be held there, let through, or made to fail.
import { inTime } from './until.ts';

export class Gate {
  #shut = false;
  #failure: Error | null = null;
  #arrived = signpost();
  #opened = signpost();

  /** Steps that come from now on wait here. */
  hold(): void {
    this.#shut = true;
    this.#arrived = signpost();
    this.#opened = signpost();
  }

  /** Resolves when a step stands at the gate. */
  reached(): Promise<void> {
    return inTime('a step to stand at the gate', this.#arrived.reached);
  }

  /** Let through who waits, and everyone after. */
  release(): void {
    this.#shut = false;
    this.#opened.tell();
  }

  /** The step that waits, or else the next one, fails with these words. */
  fail(reason: string): void {
    this.#failure = new Error(reason);
    this.release();
  }

  /** @throws {Error} as `fail` says, or the signal's reason when it is aborted during the wait */
  async pass(signal?: AbortSignal): Promise<void> {
    this.#arrived.tell();
    if (this.#shut) await Promise.race([this.#opened.reached, ...(signal ? [abortion(signal)] : [])]);
    if (signal?.aborted) {
      // It has left the gate: `reached` is about the step that comes after it.
      if (this.#shut) this.#arrived = signpost();
      throw signal.reason;
    }
    const failure = this.#failure;
    this.#failure = null;
    if (failure) throw failure;
  }
}

const abortion = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** A moment that one side waits for and the other signals. */
function signpost() {
  let tell = () => {};
  const reached = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { reached, tell };
}
