// Anonymous files, for processes to share: the kernel removes them when the last process has closed them.
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';

/** Shared memory first; the temporary directory is for containers that have no shared memory, or whose share is full. */
const defaultDirectories: readonly string[] = ['/dev/shm', tmpdir()];

let created = 0;

/**
 * Creates a file and unlinks it at once. It has mode 0600, so no other user can open it.
 * @param content its initial content; a directory in which that cannot be written is skipped
 * @param directories candidates; the first that works is used
 * @returns its descriptor, for reading and writing
 * @throws {Error} if none works
 */
export function anonymousFile(content: Uint8Array, directories = defaultDirectories): number {
  const failures: string[] = [];
  for (const directory of directories) {
    created += 1;
    const path = join(directory, `distributor-node-${process.pid}-${Date.now()}-${created}`);
    try {
      const descriptor = openSync(path, 'wx+', 0o600);
      try {
        rmSync(path);
        writeFully(descriptor, content, 0);
        return descriptor;
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
    } catch (error) {
      failures.push(`${directory} (${messageOf(error)})`);
    }
  }
  throw new Error(`No file for the server processes to share could be created: tried ${failures.join(' and ')}`);
}

/** @throws {Error} when a write fails; part of the bytes may have been written */
export function writeFully(descriptor: number, bytes: Uint8Array, place: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, place + at);
}
