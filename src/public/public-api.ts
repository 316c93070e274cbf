// The routes of the public API, and all responses that are not the bytes of an object.
import type { IncomingMessage } from 'node:http';
import { codeOf, messageOf } from '../base/errors.ts';
import type { Assets } from './assets.ts';
import type { ObjectView } from './object-view.ts';
import { begin, refuse, refuseOverloaded, sendHealth, sendJson } from './reply.ts';
import type { Answerer, RequestContext } from './request-context.ts';

export interface ApiParts {
  readonly objects: ObjectView;
  readonly assets: Assets;
  /** Why new viewers are not accepted; null: they are. */
  readonly unready: () => string | null;
  /** The document of `GET /status`. */
  readonly status: () => unknown;
  /** Longest request body that is read and discarded. */
  readonly maxBodyBytes: number;
}

const base = '/api/v1';
const assetPath = /^\/api\/v1\/assets\/([0-9]+)$/;
const methods = 'GET, HEAD, OPTIONS';

/** Headers of every response, alternating names and values: any origin may read it, and browsers do not sniff its type. */
const commonHeaders = ['Access-Control-Allow-Origin', '*', 'X-Content-Type-Options', 'nosniff'];

const exposed =
  'Accept-Ranges, Cache-Control, Content-Disposition, Content-Length, Content-Range, ETag, Retry-After, X-Cache, X-Data-Source, X-Request-Id';

/** Headers of asset responses: what a player on another origin needs besides. */
const forPlayers = [
  ...commonHeaders,
  ...['Access-Control-Expose-Headers', exposed],
  ...['Timing-Allow-Origin', '*'],
  ...['Cross-Origin-Resource-Policy', 'cross-origin'],
];

const preflight = {
  'Access-Control-Allow-Methods': methods,
  'Access-Control-Allow-Headers': 'Range, If-Range, If-Match, If-None-Match, Cache-Control, *',
  'Access-Control-Max-Age': '86400',
};

export function createApi(parts: ApiParts): Answerer {
  const { objects, assets } = parts;

  function route(context: RequestContext): void | Promise<void> {
    const { req, res } = context;
    context.baseHeaders = commonHeaders;
    const path = pathOf(req);
    const id = assetPath.exec(path)?.[1];
    if (id !== undefined) context.baseHeaders = forPlayers;
    else if (![`${base}/status`, `${base}/buckets`, '/readyz'].includes(path)) {
      return refuse(context, 404, { message: 'There is nothing at this path' });
    }
    if (bodyBytes(req) > parts.maxBodyBytes) {
      // The body is not read, so the connection cannot be reused.
      res.setHeader('Connection', 'close');
      return refuse(context, 413, { message: 'No request here needs a body' });
    }
    if (req.method === 'OPTIONS') {
      begin(context, 204, { Allow: methods, ...preflight }).end();
      return;
    }
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', methods);
      return refuse(context, 405, { message: `Only ${methods} are allowed here` });
    }
    if (id !== undefined) return assets.answer(context, id);
    if (path === '/readyz') return sendHealth(context, parts.unready());
    return sendJson(context, 200, path === `${base}/status` ? parts.status() : bucketsOf(objects));
  }

  return (context) => {
    // A client that disconnects is not an error of the node; these errors have no other listener.
    context.req.on('error', () => {});
    context.res.on('error', () => {});
    Promise.resolve()
      .then(() => route(context))
      .catch((error: unknown) => fail(context, error));
  };
}

function fail(context: RequestContext, error: unknown): void {
  const { res } = context;
  context.error = messageOf(error);
  if (res.headersSent || res.destroyed) return void res.destroy();
  if (['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'].includes(codeOf(error) ?? '')) refuseOverloaded(context);
  else refuse(context, 500, { type: 'internal', message: 'The node could not read its copy' });
}

function bucketsOf({ settings: { buckets, workerId } }: ObjectView): object {
  if (buckets !== null) return { bucketIds: buckets };
  return workerId === null ? { bucketIds: [] } : { allByWorkerId: workerId };
}

/** Infinite if the length is not declared (RFC 9112 §6.3). */
function bodyBytes({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY;
  return Number(headers['content-length'] ?? 0);
}

/** The path as sent, without the query. A server must accept the absolute form too (RFC 9112 §3.2.2). */
function pathOf(req: IncomingMessage): string {
  const target = (req.url ?? '').replace(/^https?:\/\/[^/?#]*/i, '');
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
