// What a request's conditions and range make of a 200: the whole, a part, nothing new, or a refusal (RFC 9110 §13, §14).
import type { IncomingHttpHeaders } from 'node:http';
import fresh from 'fresh';

export type Reading =
  | { readonly status: 200 | 206; readonly start: number; readonly length: number }
  | { readonly status: 304 | 412 | 416 };

/**
 * @param size bytes of the whole
 * @param etag strong validator; null: there is none yet, so that only `*` matches
 */
export function readRequest(
  method: string,
  headers: IncomingHttpHeaders,
  { size, etag }: { readonly size: number; readonly etag: string | null },
): Reading {
  // The order is that of RFC 9110 §13.2.2. There is no Last-Modified, so conditions on dates are ignored (§13.1.3, §13.1.4).
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
  // A range means something to GET alone (§14.2); If-Range needs a strong match, and a date can never be one here (§13.1.5).
  if (method !== 'GET' || range === undefined) return whole;
  if (ifRange !== undefined && (etag === null || String(ifRange).trim() !== etag)) return whole;
  return readRange(size, range) ?? whole;
}

/**
 * Undefined: to be ignored, as a range that is malformed, of another unit, or several at once may be (§14.2).
 * Read here because range-parser refuses a suffix longer than the whole, which stands for the whole (§14.1.2).
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
