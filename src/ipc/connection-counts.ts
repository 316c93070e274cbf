// How many connections each server process holds, in a nameless file that they share: so that the limit is one for the node.
//
// A process writes its own count and reads all of them, and waits for no other process. Two that accept a connection in the
// same microsecond may both take the last place. The limit is exceeded then, by less than one for each process; no
// connection is refused while there is room.
import { closeSync, fstatSync, readSync } from 'node:fs';
import { namelessFile, writeFully } from './nameless-file.ts';

/** Under this number a worker inherits the file, behind the settings sharedSettings. */
export const countsDescriptor = 5;

const wordBytes = 4;

export interface ConnectionCounts {
  readonly descriptor: number;
  /** The process with this number has ended, and its connections with it. */
  clear(process: number): void;
  close(): void;
}

/**
 * @param processes how many; they are numbered from 0
 * @throws {Error} for the operator, where no file can be made
 */
export function openConnectionCounts(processes: number): ConnectionCounts {
  const descriptor = namelessFile(Buffer.alloc(processes * wordBytes));
  let isOpen = true;
  return {
    descriptor,
    clear(process) {
      if (isOpen) writeFully(descriptor, Buffer.alloc(wordBytes), process * wordBytes);
    },
    close() {
      // Closing twice would close a file that has been opened since under the same number.
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** One process's view. */
export interface ConnectionCount {
  /** Say how many this process holds. */
  tell(own: number): void;
  /** How many all processes hold. */
  total(): number;
}

/** Each call costs about a microsecond. */
export function connectionCount(descriptor: number, process: number): ConnectionCount {
  const word = Buffer.alloc(wordBytes);
  const all = Buffer.alloc(fstatSync(descriptor).size);
  return {
    tell(own) {
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
