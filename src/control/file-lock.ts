// The lock on an open file: flock(2), which Node has no call for. The kernel gives it back when the file is closed.
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

const lockExclusive = 2;
const doNotWait = 4;

let flock: ((descriptor: number, operation: number) => number) | undefined;

/**
 * Whether the file is locked now: not where another opening of it has the lock.
 * @throws {Error} where its file system or this platform has no such locks
 */
export function tryLock(descriptor: number): boolean {
  // In the libraries that this process has loaded anyway.
  flock ??= koffi.load(null).func('int flock(int, int)');
  if (flock(descriptor, lockExclusive | doNotWait) === 0) return true;
  const code = koffi.errno();
  if (code === koffi.os.errno.EAGAIN) return false;
  throw new Error(`it cannot be locked (${getSystemErrorName(-code)})`);
}
