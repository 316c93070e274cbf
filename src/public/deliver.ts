// Sends the bytes of one object, whole or in part, from memory or from an open file; a body is correct or visibly cut.
import { type DataObject, type FileFacts, judgeCopy } from '../../machines/answer.ts';
import { codeOf } from '../base/errors.ts';
import { beginAsset } from './asset-head.ts';
import { type Copy, type HotCache, isChanged } from './hot-cache.ts';
import type { RequestContext } from './request-context.ts';
import { sendFile } from './send-file.ts';

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
    await send(context, object, copy, worth === 'verified', support.sent);
    return 'answered';
  } finally {
    if ('handle' in copy) await copy.handle.close();
  }
}

/** Whether the file is not the version that the directory describes. */
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

async function send(
  context: RequestContext,
  { type, hash }: DataObject,
  copy: Copy,
  isVerified: boolean,
  sent: (bytes: number) => void,
): Promise<void> {
  const part = beginAsset(context, 'hit', { size: copy.size, type, hash: isVerified ? hash : null });
  if (part === null) return;
  if ('handle' in copy) {
    // If the file was changed after it was opened, the response is cut.
    const isSound = async () => !(await isChanged(copy));
    return sendFile(context, copy.handle, { ...part, readable: () => copy.size, isSound, sent });
  }
  const { start, length } = part;
  context.bytesLeft = length;
  context.res.end(copy.bytes.subarray(start, start + length), () => {
    context.bytesLeft = 0;
    sent(length);
  });
}
