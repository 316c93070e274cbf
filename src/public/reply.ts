// Answers of the public API that are a small document: refusals among them.
import type { ServerResponse } from 'node:http';
import { requestIdHeader } from '../request-id.ts';
import type { Exchange } from './exchange.ts';

/** The error body that existing players know. */
export interface Refusal {
  /** One word for programs. */
  readonly type?: string;
  /** For a person. */
  readonly message: string;
}

/** Every answer begins here. Its head is handed over whole, as a list: by far the quickest way that Node has. */
export function begin(
  exchange: Exchange,
  status: number,
  headers: Readonly<Record<string, string | number>>,
): ServerResponse {
  exchange.answeredAt = performance.now();
  const head: (string | number)[] = [...exchange.standing, requestIdHeader, exchange.requestId];
  for (const name in headers) head.push(name, headers[name] ?? '');
  return exchange.res.writeHead(status, head);
}

export function refuse(exchange: Exchange, status: number, body: Refusal, headers: Record<string, string> = {}): void {
  sendJson(exchange, status, body, headers);
}

/** Never to be kept: what these documents say may be different a moment later. */
export function sendJson(
  exchange: Exchange,
  status: number,
  document: unknown,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify(document);
  const res = begin(exchange, status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  });
  res.end(exchange.req.method === 'HEAD' ? undefined : body);
}

/** For balancers: one word as text. `trouble` null: all is well. */
export function sendHealth(exchange: Exchange, trouble: string | null): void {
  const text = `${trouble ?? 'ok'}\n`;
  const res = begin(exchange, trouble === null ? 200 : 503, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
  });
  res.end(exchange.req.method === 'HEAD' ? undefined : text);
}
