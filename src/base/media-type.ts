// The MIME type of bytes by their signature; of a file also, for text formats that have none, by the ending of its name.
import { fileTypeFromBuffer, fileTypeFromFile } from 'file-type';
import mime from 'mime';

const unknownType = 'application/octet-stream';

/**
 * Text formats that the ending of a name may stand for. No HTML and no script: what a browser would run on this node's
 * origin has to be stated.
 */
const textTypes = new Set([
  'text/plain',
  'text/vtt',
  'text/csv',
  'text/markdown',
  'application/x-subrip',
  'application/ttml+xml',
  'application/json',
  'application/vnd.apple.mpegurl',
  'application/dash+xml',
  'image/svg+xml',
]);

/** Signatures that are too generic or unsafe: XML may be a page with scripts. */
const vagueSignatures = new Set(['application/xml']);

/** @returns a MIME type, `application/octet-stream` if unknown; never rejects */
export async function typeOfFile(path: string): Promise<string> {
  const signature = await fileTypeFromFile(path).catch(() => undefined);
  if (signature && !vagueSignatures.has(signature.mime)) return signature.mime;
  const byName = mime.getType(path);
  return byName !== null && textTypes.has(byName) ? byName : unknownType;
}

/** So many of the first bytes, or all if there are fewer, decide the type. */
export const signatureBytes = 4100;

/** @returns a MIME type, `application/octet-stream` if the bytes have no known signature; never rejects */
export async function typeOfBytes(first: Uint8Array): Promise<string> {
  const signature = await fileTypeFromBuffer(first).catch(() => undefined);
  return signature && !vagueSignatures.has(signature.mime) ? signature.mime : unknownType;
}
