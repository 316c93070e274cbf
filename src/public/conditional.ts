// Evaluates conditional and range requests (RFC 9110 §13, §14): the whole object, a part, 304, 412 or 416.
import type { IncomingHttpHeaders } from 'node:http';
import fresh from 'fresh';

export type Reading =
  | { readonly status: 200 | 206; readonly start: number; readonly length: number }
  | { readonly status: 304 | 412 | 416 };

/**
 * @param size bytes of the object
 * @param etag strong validator; null: none yet, so only `*` matches
 */
export function readRequest(
  method: string,
  headers: IncomingHttpHeaders,
  { size, etag }: { readonly size: number; readonly etag: string | null },
): Reading {
  // In the order of RFC 9110 §13.2.2. There is no Last-Modified, so conditions on dates are ignored (§13.1.3, §13.1.4).
  const ifMatch = headers['if-match'];
  if (ifMatch !== undefined && !listed(ifMatch, etag)) return { status: 412 };
  const { 'if-none-match': ifNoneMatch, 'cache-control': cacheControl } = headers;
  if (
    ifNoneMatch !== undefined &&
    fresh({ 'if-none-match': ifNoneMatch, 'cache-control': cacheControl }, validators(etag))
  )
    return { status: 304 };
  const whole = { status: 200, start: 0, length: size } as const;
  const { range, 'if-range': ifRange } = headers;
  // Ranges apply only to GET (§14.2); If-Range needs a strong match, which a date never is here (§13.1.5).
  if (method !== 'GET' || range === undefined) return whole;
  if (ifRange !== undefined && (etag === null || String(ifRange).trim() !== etag)) return whole;
  return readRange(size, range) ?? whole;
}

/**
 * Undefined: ignore the header, as §14.2 allows for malformed, multiple and non-byte ranges.
 * Not range-parser, because it rejects a suffix longer than the object, which means the whole object (§14.1.2).
 */
function readRange(size: number, header: string): Reading | undefined {
  const parts = /^bytes=[ \t]*(?:(\d+)-(\d*)|-(\d+))[ \t]*$/i.exec(header);
  if (parts === null) return undefined;
  const [, first, last, suffix] = parts;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return length === 0 ? { status: 416 } : { status: 206, start: size - length, length };
  }
  const start = Number(first);
  const end = last ? Math.min(Number(last), size - 1) : size - 1;
  if (last && Number(last) < start) return undefined;
  return start >= size ? { status: 416 } : { status: 206, start, length: end - start + 1 };
}

/** Strong comparison (§8.8.3.2): a weak tag in the list matches nothing. */
function listed(list: string, etag: string | null): boolean {
  if (list.trim() === '*') return true;
  return etag !== null && list.split(',').some((tag) => tag.trim() === etag);
}

const validators = (etag: string | null): Record<string, string> => (etag === null ? {} : { etag });
