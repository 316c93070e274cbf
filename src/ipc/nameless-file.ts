// Files without a name, for processes to share: the kernel removes them with the last process that has them open.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';

/** Memory is best; the other is for a container that has none to share, or whose share is full. */
const usualDirectories: readonly string[] = ['/dev/shm', tmpdir()];

let made = 0;

/**
 * The file's name is gone before another process can open it.
 * @param beginning what it holds at first; a directory that cannot take that will not do
 * @param directories where it may be made, the first that will do
 * @returns its descriptor, for reading and writing
 * @throws {Error} where none will do
 */
export function namelessFile(beginning: Uint8Array, directories = usualDirectories): number {
  const failures: string[] = [];
  for (const directory of directories) {
    made += 1;
    const path = join(directory, `distributor-node-${process.pid}-${Date.now()}-${made}`);
    try {
      const descriptor = openSync(path, 'wx+', 0o600);
      try {
        rmSync(path);
        writeFully(descriptor, beginning, 0);
        return descriptor;
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
    } catch (error) {
      failures.push(`${directory} (${messageOf(error)})`);
    }
  }
  throw new Error(`No file can be made for what the server processes share: tried ${failures.join(' and ')}`);
}

/** @throws {Error} when the system refuses; a part may have been written */
export function writeFully(descriptor: number, bytes: Uint8Array, place: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, place + at);
}
