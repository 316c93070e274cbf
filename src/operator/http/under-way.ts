// Tracks pending requests of the operator API, so that the node can answer them before it exits.
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';

export class UnderWay {
  readonly #requests = new Set<IncomingMessage>();
  readonly #changes = new EventEmitter();

  /** Koa's outermost middleware: a finished request is in the audit log too. */
  readonly following: Koa.Middleware = async (ctx, next) => {
    this.#requests.add(ctx.req);
    try {
      await next();
    } finally {
      this.#requests.delete(ctx.req);
      this.#changes.emit('change');
    }
  };

  /** Resolves when every request is answered; after `bodyWaitMs`, requests with incomplete bodies are no longer waited for. */
  async answered(bodyWaitMs: number): Promise<void> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#changes.emit('change');
    }, bodyWaitMs);
    while ([...this.#requests].some(({ complete }) => complete || !isOver)) await once(this.#changes, 'change');
    clearTimeout(timer);
  }
}
