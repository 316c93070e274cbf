// Batches the request log lines of a server process, with a limit per batch.
import type { RequestLine, RequestsReport } from '../ipc/messages.ts';
import type { RequestContext } from './request-context.ts';

const batchMs = 250;
/** Per batch: requests of viewers must not slow down the operator API. */
const maxLines = 500;
const maxPathLength = 300;

export class RequestLog {
  readonly #send: (report: RequestsReport) => void;
  readonly #everything: boolean;
  #lines: RequestLine[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param everything false: only requests that the node failed to answer */
  constructor(everything: boolean, send: (report: RequestsReport) => void) {
    this.#everything = everything;
    this.#send = send;
  }

  /** Call it when the response has been sent, or its connection has closed. */
  add(context: RequestContext): void {
    if (!this.#everything && context.error === null) return;
    if (this.#lines.length >= maxLines) this.#dropped += 1;
    else this.#lines.push(lineOf(context));
    this.#timer ??= setTimeout(() => {
      this.#send({ lines: this.#lines, dropped: this.#dropped });
      this.#lines = [];
      this.#dropped = 0;
      this.#timer = null;
    }, batchMs).unref();
  }
}

function lineOf({ req, res, requestId, cache, startedAt, answeredAt, error }: RequestContext): RequestLine {
  return {
    requestId,
    method: req.method ?? '',
    // The query has no meaning here, and may contain private data.
    path: (req.url ?? '').split('?', 1)[0]?.slice(0, maxPathLength) ?? '',
    status: answeredAt === 0 ? null : res.statusCode,
    cache,
    ms: Math.round(performance.now() - startedAt),
    from: req.socket.remoteAddress ?? null,
    finished: res.writableFinished,
    ...(error !== null && { error }),
  };
}
