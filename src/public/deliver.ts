// Sends the bytes of one object, whole or in part, from memory or from an open file; a body is correct or visibly cut.
import { answers, type DataObject, type FileFacts, judgeCopy, verifiedHeaders } from '../../machines/answer.ts';
import { codeOf } from '../base/errors.ts';
import { readRequest } from './conditional.ts';
import { type Copy, type HotCache, isChanged } from './hot-cache.ts';
import { begin, refuse } from './reply.ts';
import type { RequestContext } from './request-context.ts';

const chunkBytes = 128 * 1024;

export interface DeliverySupport {
  readonly hotCache: HotCache;
  /** Reports that the object's file does not match the directory. */
  readonly reportBadCopy: (object: DataObject) => void;
  readonly sent: (bytes: number) => void;
}

/** `absent`: there is no valid copy, and no response has been sent yet. */
export type DeliveryResult = 'answered' | 'absent';

/**
 * @param object an object whose answer is `hit`
 * @throws {NodeJS.ErrnoException} for errors of the disk or the process, not of the object (EMFILE, EIO, EACCES)
 */
export async function deliver(
  context: RequestContext,
  object: DataObject,
  support: DeliverySupport,
): Promise<DeliveryResult> {
  const copy = await openCopy(object, support);
  if (copy === null) return 'absent';
  try {
    const worth = judgeCopy(object, copy);
    if (isBad(object, copy)) support.reportBadCopy(object);
    if (worth === 'wrong') return 'absent';
    await answerWith(context, object, copy, worth === 'verified' ? object.hash : null, support.sent);
    return 'answered';
  } finally {
    if ('handle' in copy) await copy.handle.close();
  }
}

/** Not the version of the file that the directory describes. */
function isBad(object: DataObject, file: FileFacts): boolean {
  const worth = judgeCopy(object, file);
  return worth === 'wrong' || (worth === 'unverified' && object.verified !== null);
}

async function openCopy(object: DataObject, { hotCache, reportBadCopy }: DeliverySupport): Promise<Copy | null> {
  if (object.path === null) return null;
  try {
    return await hotCache.open(object.path, (facts) => !isBad(object, facts));
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO'].includes(codeOf(error) ?? '')) throw error;
    reportBadCopy(object);
    return null;
  }
}

/** @param hash hash of the verified copy; null: not verified, so there is no validator */
async function answerWith(
  context: RequestContext,
  object: DataObject,
  copy: Copy,
  hash: string | null,
  sent: (bytes: number) => void,
): Promise<void> {
  const { req, res } = context;
  const headers = { ...answers.hit.headers, ...(hash === null ? {} : verifiedHeaders(hash)) };
  const reading = readRequest(req.method ?? 'GET', req.headers, {
    size: copy.size,
    etag: hash === null ? null : `"${hash}"`,
  });
  if (!('length' in reading)) {
    if (reading.status === 304) begin(context, 304, headers).end();
    else if (reading.status === 412)
      refuse(context, 412, { type: 'precondition', message: 'Data object is another one' });
    else refuseRange(context, copy.size);
    return;
  }
  const { status, start, length } = reading;
  headers['Content-Type'] = object.type ?? 'application/octet-stream';
  if (status === 206) headers['Content-Range'] = `bytes ${start}-${start + length - 1}/${copy.size}`;
  begin(context, status, { ...headers, 'Content-Length': length });
  if (req.method === 'HEAD' || length === 0) {
    res.end();
    return;
  }
  context.bytesLeft = length;
  if ('bytes' in copy) {
    res.end(copy.bytes.subarray(start, start + length), () => {
      context.bytesLeft = 0;
      sent(length);
    });
    return;
  }
  await stream(context, copy, start, sent);
}

const refuseRange = (context: RequestContext, size: number): void =>
  refuse(
    context,
    416,
    { type: 'range', message: `Data object has ${size} bytes` },
    { 'Content-Range': `bytes */${size}`, 'Accept-Ranges': 'bytes' },
  );

/** One buffer per response: it is refilled when the kernel has accepted its content. */
async function stream(
  context: RequestContext,
  copy: Extract<Copy, { handle: unknown }>,
  start: number,
  sent: (bytes: number) => void,
): Promise<void> {
  const { res } = context;
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, context.bytesLeft));
  let wake = () => {};
  res.once('close', () => wake());
  for (let position = start; context.bytesLeft > 0 && !res.destroyed; ) {
    const wanted = Math.min(buffer.length, context.bytesLeft);
    const { bytesRead } = await copy.handle.read(buffer, 0, wanted, position);
    const last = bytesRead === context.bytesLeft;
    // Truncated or written since it was opened: a visibly cut response is better than a wrong one.
    if (bytesRead === 0 || (last && (await isChanged(copy)))) {
      res.destroy();
      return;
    }
    position += bytesRead;
    await context.gate();
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (res.destroyed) return resolve();
      res.write(buffer.subarray(0, bytesRead), (error) => {
        if (!error) {
          context.bytesLeft -= bytesRead;
          sent(bytesRead);
        }
        resolve();
      });
    });
  }
  res.end();
}
