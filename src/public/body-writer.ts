// Writes the body of one response chunk by chunk: each write waits until the kernel has accepted it, or the response has ended.
import type { RequestContext } from './request-context.ts';

export class BodyWriter {
  readonly #context: RequestContext;
  readonly #sent: (bytes: number) => void;
  #wake = () => {};

  /** @param sent called with the bytes that the kernel has accepted */
  constructor(context: RequestContext, sent: (bytes: number) => void) {
    this.#context = context;
    this.#sent = sent;
    context.res.once('close', () => this.#wake());
  }

  /** The caller may reuse the buffer afterwards. */
  async write(bytes: Uint8Array): Promise<void> {
    const context = this.#context;
    const { res } = context;
    await context.gate();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (res.destroyed) return resolve();
      res.write(bytes, (error) => {
        if (!error) {
          context.bytesLeft = Math.max(0, context.bytesLeft - bytes.length);
          this.#sent(bytes.length);
        }
        resolve();
      });
    });
  }
}
