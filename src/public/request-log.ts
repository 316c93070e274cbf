// What a worker tells the log of its requests: gathered for a moment, and never more than so many.
import type { RequestLine, RequestsReport } from '../ipc/messages.ts';
import type { RequestContext } from './request-context.ts';

const gatherMs = 250;
/** In one report: the control process must not be kept from operators by what viewers do. */
const mostLines = 500;
const longestPath = 300;

export class RequestLog {
  readonly #tell: (report: RequestsReport) => void;
  readonly #everything: boolean;
  #lines: RequestLine[] = [];
  #dropped = 0;
  #gathering: NodeJS.Timeout | null = null;

  /** @param everything false: only requests that the node itself could not answer */
  constructor(everything: boolean, tell: (report: RequestsReport) => void) {
    this.#everything = everything;
    this.#tell = tell;
  }

  /** Its answer has been sent, or its connection has gone. */
  add(context: RequestContext): void {
    if (!this.#everything && context.fault === null) return;
    if (this.#lines.length >= mostLines) this.#dropped += 1;
    else this.#lines.push(lineOf(context));
    this.#gathering ??= setTimeout(() => {
      this.#tell({ lines: this.#lines, dropped: this.#dropped });
      this.#lines = [];
      this.#dropped = 0;
      this.#gathering = null;
    }, gatherMs).unref();
  }
}

function lineOf({ req, res, requestId, cache, startedAt, answeredAt, fault }: RequestContext): RequestLine {
  return {
    requestId,
    method: req.method ?? '',
    // What follows a question mark has no meaning here, and may be what somebody would not have written down.
    path: (req.url ?? '').split('?', 1)[0]?.slice(0, longestPath) ?? '',
    status: answeredAt === 0 ? null : res.statusCode,
    cache,
    ms: Math.round(performance.now() - startedAt),
    from: req.socket.remoteAddress ?? null,
    finished: res.writableFinished,
    ...(fault !== null && { fault }),
  };
}
