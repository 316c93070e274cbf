// The synchronous writes of this process, watched by a test or made to fail.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const full = new Error('ENOSPC: no space left on device, write');

/** As on a full disk. */
export function failToWrite(): void {
  throw full;
}

/** Each synchronous write of a file goes by `before` first, which may throw. */
export function writingBy(before: (bytes: number) => void, work: () => void): void {
  const { writeSync } = fs;
  const patched = (file: number, bytes: Uint8Array, from: number, length: number, place: number) => {
    before(length);
    return writeSync(file, bytes, from, length, place);
  };
  fs.writeSync = patched as typeof writeSync;
  syncBuiltinESMExports();
  try {
    work();
  } finally {
    fs.writeSync = writeSync;
    syncBuiltinESMExports();
  }
}
