// Which requests of the operator API are not answered yet, so that the node can wait for them before it leaves.
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';

export class UnderWay {
  readonly #requests = new Set<IncomingMessage>();
  readonly #changes = new EventEmitter();

  /** Koa's outermost middleware: what it waits for has been told of, in the audit log too. */
  readonly following: Koa.Middleware = async (ctx, next) => {
    this.#requests.add(ctx.req);
    try {
      await next();
    } finally {
      this.#requests.delete(ctx.req);
      this.#changes.emit('change');
    }
  };

  /** Resolves when every request is answered; after `bodyWaitMs`, when every one is whose body has come. */
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
