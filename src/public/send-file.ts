// Sends a part of an open file as its bytes become readable; a response that cannot be finished is visibly cut.
import type { FileHandle } from 'node:fs/promises';
import { BodyWriter } from './body-writer.ts';
import type { RequestContext } from './request-context.ts';

const chunkBytes = 128 * 1024;

export interface FilePart {
  readonly start: number;
  readonly length: number;
  /** Waits for bytes at this offset. @returns the end of the readable bytes; at or below the offset: no more will come */
  readonly readable: (offset: number) => number | Promise<number>;
  /** Called before the last bytes of the part are sent; false: the bytes sent may be wrong. */
  readonly isSound: () => Promise<boolean>;
  readonly sent: (bytes: number) => void;
}

/** Uses one buffer per response, which is refilled when the kernel has accepted its content. */
export async function sendFile(
  context: RequestContext,
  handle: FileHandle,
  { start, length, readable, isSound, sent }: FilePart,
): Promise<void> {
  const { res } = context;
  const writer = new BodyWriter(context, sent);
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkBytes, length));
  context.bytesLeft = length;
  for (let offset = start; context.bytesLeft > 0 && !res.destroyed; ) {
    const end = await readable(offset);
    const wanted = Math.min(buffer.length, context.bytesLeft, end - offset);
    const { bytesRead } = wanted > 0 ? await handle.read(buffer, 0, wanted, offset) : { bytesRead: 0 };
    const isLast = bytesRead === context.bytesLeft;
    // A visibly cut response is better than a wrong one.
    if (bytesRead === 0 || (isLast && !(await isSound()))) {
      res.destroy();
      return;
    }
    offset += bytesRead;
    await writer.write(buffer.subarray(0, bytesRead));
  }
  res.end();
}
