// Begins the response for an object of known size: sends the head, and says which bytes follow.
import { type AnswerWord, answers, verifiedHeaders } from '../../machines/answer.ts';
import { readRequest } from './conditional.ts';
import { begin, refuse } from './reply.ts';
import type { RequestContext } from './request-context.ts';
import { policyHeaders } from './untrusted-content.ts';

export const unknownType = 'application/octet-stream';

export interface AssetFacts {
  /** Bytes. */
  readonly size: number;
  /** Null: not known. */
  readonly type: string | null;
  /** Hash of a verified copy; null: not verified, so there is no validator. */
  readonly hash: string | null;
}

export interface Part {
  readonly start: number;
  readonly length: number;
}

/** The part of an object of this size that the request asks for; null: no bytes. */
export function wantedPart({ req }: RequestContext, { size, hash }: Pick<AssetFacts, 'size' | 'hash'>): Part | null {
  const reading = readRequest(req.method ?? 'GET', req.headers, { size, etag: etagOf(hash) });
  return 'length' in reading && req.method !== 'HEAD' ? reading : null;
}

/**
 * @param word an answer whose response is the object
 * @returns the bytes to send; null: the response is complete
 */
export function beginAsset(context: RequestContext, word: AnswerWord, { size, type, hash }: AssetFacts): Part | null {
  const { req, res } = context;
  context.cache = word;
  const mime = type ?? unknownType;
  const headers: Record<string, string> = {
    ...answers[word].headers,
    ...(hash === null ? {} : verifiedHeaders(hash)),
    ...policyHeaders(mime),
  };
  const reading = readRequest(req.method ?? 'GET', req.headers, { size, etag: etagOf(hash) });
  if (!('length' in reading)) {
    if (reading.status === 304) begin(context, 304, headers).end();
    else if (reading.status === 412)
      refuse(context, 412, { type: 'precondition', message: 'Data object is another one' });
    else refuseRange(context, size);
    return null;
  }
  const { status, start, length } = reading;
  headers['Content-Type'] = mime;
  if (status === 206) headers['Content-Range'] = `bytes ${start}-${start + length - 1}/${size}`;
  begin(context, status, { ...headers, 'Content-Length': length });
  if (req.method !== 'HEAD' && length > 0) return { start, length };
  res.end();
  return null;
}

const etagOf = (hash: string | null): string | null => (hash === null ? null : `"${hash}"`);

const refuseRange = (context: RequestContext, size: number): void =>
  refuse(
    context,
    416,
    { type: 'range', message: `Data object has ${size} bytes` },
    { 'Content-Range': `bytes */${size}`, 'Accept-Ranges': 'bytes' },
  );
