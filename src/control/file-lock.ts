// Locks an open file with flock(2), which Node does not offer. The kernel releases the lock when the file is closed.
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

const lockExclusive = 2;
const doNotWait = 4;

let flock: ((descriptor: number, operation: number) => number) | undefined;

/**
 * Returns false if another open file description has the lock.
 * @throws {Error} where the file system or the platform does not support flock
 */
export function tryLock(descriptor: number): boolean {
  // null: flock is in libc, which this process has loaded.
  flock ??= koffi.load(null).func('int flock(int, int)');
  if (flock(descriptor, lockExclusive | doNotWait) === 0) return true;
  const code = koffi.errno();
  if (code === koffi.os.errno.EAGAIN) return false;
  throw new Error(`it cannot be locked (${getSystemErrorName(-code)})`);
}
