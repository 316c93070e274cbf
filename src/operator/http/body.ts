// Reads the body of a command and answers 415, 413 and malformed JSON, in this order.
import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import { messageOf } from '../../base/errors.ts';
import { sha256 } from '../../client/sign-token.ts';
import { type Body, emptyBody } from '../auth/tokens.ts';
import { problem } from './problems.ts';

/** @throws {Problem} */
export type ReadBody = (ctx: Koa.Context) => Promise<Body>;

export function createBodyReader(maxBodyBytes: number): ReadBody {
  const parse = bodyParser({ enableTypes: ['json'], jsonLimit: String(maxBodyBytes), detectJSON: () => true });
  const tooLarge = () => problem(413, `The body is longer than ${maxBodyBytes} bytes`);

  return async (ctx) => {
    const length = Number(ctx.get('Content-Length') || 0);
    const isChunked = ctx.get('Transfer-Encoding') !== '';
    if (length === 0 && !isChunked) return emptyBody;
    const unsupported = unsupportedKind(ctx);
    if (unsupported !== null) {
      if (isChunked && (await isEmpty(ctx.req))) return emptyBody;
      throw unsupported;
    }
    if (length > maxBodyBytes) throw tooLarge();
    if (ctx.req.destroyed) throw brokenOff();
    // Absent or `identity` here; the parser accepts only lower case.
    delete ctx.req.headers['content-encoding'];

    // The parser returns text, but a token's hash covers the bytes.
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer) => chunks.push(chunk);
    ctx.req.on('data', keep);
    try {
      await parse(ctx, async () => {});
    } catch (error) {
      // The client has disconnected, however the parser reports it.
      if (ctx.req.destroyed && !ctx.req.complete) throw brokenOff(error);
      if (hasStatus(error, 413)) throw tooLarge();
      if (hasStatus(error, 400)) throw wrongBody(`is not a JSON object: ${whatIsWrong(messageOf(error))}`);
      throw error;
    } finally {
      ctx.req.off('data', keep);
    }
    const bytes = Buffer.concat(chunks);
    if (!isUtf8(bytes)) throw wrongBody('is not UTF-8');
    return { value: ctx.request.body, sha256: sha256(bytes) };
  };
}

const wrongBody = (words: string) =>
  problem(400, `The body ${words}`, { members: { errors: [{ path: '', message: words }] } });

const brokenOff = (cause?: unknown) => problem(400, 'The request was aborted', { cause });

/** Bodies are uncompressed UTF-8 JSON; this rules out decompression bombs. */
function unsupportedKind(ctx: Koa.Context) {
  const type = ctx.get('Content-Type');
  if (type.split(';')[0]?.trim().toLowerCase() !== 'application/json') {
    return problem(
      415,
      `The body must be application/json, ${type === '' ? 'and say so' : `not ${type.slice(0, 100)}`}`,
    );
  }
  const { charset } = ctx.request;
  if (charset !== '' && !/^utf-?8$/i.test(charset)) return problem(415, 'The body must be UTF-8');
  if (!/^(identity)?$/i.test(ctx.get('Content-Encoding'))) {
    return problem(415, 'The body must not be compressed', { headers: { 'Accept-Encoding': 'identity' } });
  }
  return null;
}

/** Whether a chunked body ends before its first byte. */
async function isEmpty(request: IncomingMessage): Promise<boolean> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(request, 'readable', { signal }), once(request, 'end', { signal })]);
  } catch (error) {
    throw brokenOff(error);
  } finally {
    settled.abort();
  }
  return request.read() === null;
}

const hasStatus = (error: unknown, status: number): boolean =>
  error instanceof Error && 'status' in error && error.status === status;

/** Removes the parser's quotation of the body, which may hold a secret. */
const whatIsWrong = (message: string): string =>
  /^Unexpected token '.'/su.exec(message)?.[0] ?? message.replace(/"[\s\S]*"/, 'it');
