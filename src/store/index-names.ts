// The names that an index accepts: ids of objects, bags and buckets, and names of marks.

/** Longest name, in bytes of UTF-8: a bucket id of 128 characters. The database's limit for a key that holds two is 1978. */
export const maxNameBytes = 512;

/** The last ASCII control character before the space. Those are kept for separators. */
const lastControl = 0x1f;

/** @throws {RangeError} if it is too long, empty, or has a control character */
export function checkName(name: string): void {
  const isFit = name.length > 0 && name.length <= maxNameBytes && Buffer.byteLength(name) <= maxNameBytes;
  if (!isFit || hasControl(name)) {
    throw new RangeError(`A name in the index has 1 to ${maxNameBytes} bytes and no control character`);
  }
}

function hasControl(name: string): boolean {
  for (let index = 0; index < name.length; index += 1) if (name.charCodeAt(index) <= lastControl) return true;
  return false;
}

/** Whether the index can contain this name: longer ones are never written. */
export const mayExist = (name: string): boolean => name.length > 0 && name.length <= maxNameBytes;
