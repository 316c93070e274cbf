// Small responses of the public API: JSON documents, refusals, health.
import type { ServerResponse } from 'node:http';
import { requestIdHeader } from '../base/request-id.ts';
import type { RequestContext } from './request-context.ts';

/** The error body that existing players know. */
export interface Refusal {
  /** One word for programs. */
  readonly type?: string;
  /** For people. */
  readonly message: string;
}

/** Writes the head of every response, as one flat array: by far the fastest way in Node. */
export function begin(
  context: RequestContext,
  status: number,
  headers: Readonly<Record<string, string | number>>,
): ServerResponse {
  context.answeredAt = performance.now();
  const head: (string | number)[] = [...context.baseHeaders, requestIdHeader, context.requestId];
  for (const name in headers) head.push(name, headers[name] ?? '');
  return context.res.writeHead(status, head);
}

export function refuse(
  context: RequestContext,
  status: number,
  body: Refusal,
  headers: Record<string, string> = {},
): void {
  sendJson(context, status, body, headers);
}

/** There are too few resources now, so the same request may succeed soon. */
export function refuseOverloaded(context: RequestContext): void {
  refuse(context, 503, { type: 'overloaded', message: 'The node is overloaded' }, { 'Retry-After': '1' });
}

/** `no-store`: these documents may change at any moment. */
export function sendJson(
  context: RequestContext,
  status: number,
  document: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(document);
  const res = begin(context, status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  });
  res.end(context.req.method === 'HEAD' ? undefined : body);
}

/** For load balancers: one line of text. `condition` null: healthy. */
export function sendHealth(context: RequestContext, condition: string | null): void {
  const text = `${condition ?? 'ok'}\n`;
  const res = begin(context, condition === null ? 200 : 503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
  });
  res.end(context.req.method === 'HEAD' ? undefined : text);
}
