// Checks that the head of an answer matches the requested range: status, length, range, encoding, validator.
import type { Dispatcher } from 'undici';
import { SourceFault, statusFault, wrongAnswer } from './source-fault.ts';

/** `last`: offset of the last byte; null: to the end, whose offset is not known. */
export type AskedRange = 'whole' | { readonly from: number; readonly last: number | null };

/** @throws RangeError if there is no such range */
export function rangeOf(from: number, to: number | undefined, size: number | null): AskedRange {
  const last = size === null ? (to ?? null) : Math.min(to ?? size, size - 1);
  if (size === 0 && from === 0) return 'whole';
  if (!Number.isSafeInteger(from) || from < 0 || (last !== null && last < from)) {
    throw new RangeError(`There is no range ${from}-${to ?? ''} of ${size} bytes`);
  }
  const isWhole = from === 0 && (last === null || last + 1 === size);
  return isWhole ? 'whole' : { from, last };
}

export interface AnswerHead {
  /** Bytes of the whole object; null: not known. */
  readonly size: number | null;
  /** Bytes of the body; null: not known. */
  readonly length: number | null;
  readonly type: string | null;
  readonly tag: string | null;
}

/** @throws {SourceFault} */
export function headOf(
  { statusCode, headers }: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>,
  asked: AskedRange,
  known: { readonly size: number | null; readonly tag: string | null },
): AnswerHead {
  if (statusCode !== 200 && statusCode !== 206) throw statusFault(statusCode);
  const { 'content-encoding': encoding = 'identity', 'content-type': type = null, etag } = headers;
  if (encoding !== 'identity') throw wrongAnswer('sends a compressed answer that was not requested');
  const tag = typeof etag === 'string' && /^"[\x21\x23-\x7e]{1,500}"$/.test(etag) ? etag : null;
  if (known.tag !== null && tag !== known.tag) throw new SourceFault('changed', 'BadAnswer', 'has another version now');
  const stated = { type: typeof type === 'string' ? type : null, tag };
  const contentLength = lengthOf(headers['content-length']);
  if (asked === 'whole') {
    if (statusCode !== 200) throw wrongAnswer('sends a range that was not requested');
    const size = known.size ?? contentLength;
    if (contentLength !== null && contentLength !== size) {
      throw wrongAnswer(`has ${contentLength} bytes, not ${size}`);
    }
    return { ...stated, size, length: size };
  }
  if (statusCode !== 206) throw wrongAnswer('ignores the range requested');
  const { first, last, size } = contentRange(headers['content-range']);
  const end = Math.min(asked.last ?? size - 1, size - 1);
  if (known.size !== null && size !== known.size) throw wrongAnswer(`has ${size} bytes, not ${known.size}`);
  if (first !== asked.from || last !== end) {
    throw wrongAnswer(`sends the range ${first}-${last}, not ${asked.from}-${end}`);
  }
  const length = last - first + 1;
  if (contentLength !== null && contentLength !== length) {
    throw wrongAnswer(`sends ${contentLength} bytes, not ${length}`);
  }
  return { ...stated, size, length };
}

type Header = string | readonly string[] | undefined;

function lengthOf(header: Header): number | null {
  if (header === undefined) return null;
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) throw wrongAnswer('states an invalid length');
  return Number(header);
}

function contentRange(header: Header): { readonly first: number; readonly last: number; readonly size: number } {
  const parts = typeof header === 'string' ? /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(header) : null;
  if (parts === null) throw wrongAnswer('does not say which range it sends');
  const [first, last, size] = parts.slice(1).map(Number) as [number, number, number];
  return { first, last, size };
}
