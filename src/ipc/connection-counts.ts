// Counts the connections of all server processes in a shared anonymous file, so that one limit applies to the whole node.
//
// Each process writes its own count and reads all counts, without locks. Two processes that accept a connection in the same
// microsecond may both take the last place. So the limit can be exceeded by less than one connection per process; no
// connection is refused below the limit.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { anonymousFile, writeFully } from './anonymous-file.ts';

/** Descriptor under which a server process inherits the file, after the shared settings. */
export const countsDescriptor = 5;

const wordBytes = 4;

export interface ConnectionCounts {
  readonly descriptor: number;
  /** Sets the count of a process that has ended to zero. */
  clear(process: number): void;
  close(): void;
}

/**
 * @param processes their number; they are numbered from 0
 * @throws {Error} with a reason for the operator if no file can be created
 */
export function openConnectionCounts(processes: number): ConnectionCounts {
  const descriptor = anonymousFile(Buffer.alloc(processes * wordBytes));
  let isOpen = true;
  return {
    descriptor,
    clear(process) {
      if (isOpen) writeFully(descriptor, Buffer.alloc(wordBytes), process * wordBytes);
    },
    close() {
      // A second close would close a file that has since been opened with the same descriptor.
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** The view of one process. */
export interface ConnectionCount {
  /** Sets the count of this process. */
  set(own: number): void;
  /** The sum over all processes. */
  total(): number;
}

/** Each call costs about a microsecond. */
export function connectionCount(descriptor: number, process: number): ConnectionCount {
  const word = Buffer.alloc(wordBytes);
  const all = Buffer.alloc(fstatSync(descriptor).size);
  return {
    set(own) {
      word.writeUInt32LE(own);
      writeFully(descriptor, word, process * wordBytes);
    },
    total() {
      readSync(descriptor, all, 0, all.length, 0);
      let sum = 0;
      for (let at = 0; at < all.length; at += wordBytes) sum += all.readUInt32LE(at);
      return sum;
    },
  };
}
