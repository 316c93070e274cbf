// The settings in force, in a nameless file: the control process writes it, every public worker looks at it before each request.
//
// So new settings hold from the moment they are written, however busy or hung a worker is, and nobody waits for one.
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Settings } from '../../machines/settings.ts';
import { messageOf } from '../base/errors.ts';

/** Under this number a worker inherits the file, behind its three streams and its channel. */
export const sharedSettingsDescriptor = 4;

/** Which settings: later ones have a higher number. */
export interface NumberedSettings {
  readonly number: number;
  readonly settings: Settings;
}

export interface SharedSettings {
  readonly descriptor: number;
  /** When it returns, whoever looks sees these. @throws {Error} when the system refuses; the sharedSettings is as it was */
  write(numbered: NumberedSettings): void;
  close(): void;
}

// A head of 16 bytes: number, length, number again. Then two places for the settings themselves, used in turns.
const headBytes = 16;
const placeOf = (number: number): number => headBytes + (number % 2) * 2 ** 31;

/**
 * @param directories where the file may be made, the first that will do; memory is best
 * @throws {Error} where none will do
 */
export function openSharedSettings(directories: readonly string[] = ['/dev/shm', tmpdir()]): SharedSettings {
  const descriptor = namelessFile(directories);
  let isOpen = true;
  writeSync(descriptor, Buffer.alloc(headBytes), 0, headBytes, 0);
  return {
    descriptor,
    write({ number, settings }) {
      const body = Buffer.from(JSON.stringify(settings));
      for (let at = 0; at < body.length; )
        at += writeSync(descriptor, body, at, body.length - at, placeOf(number) + at);
      const head = Buffer.alloc(headBytes);
      for (const [at, word] of [number, body.length, number].entries()) head.writeUInt32LE(word, at * 4);
      writeSync(descriptor, head, 0, headBytes, 0);
    },
    close() {
      // Twice would close a file of somebody else.
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

/** It has gone from its directory before anybody can see it, and from the disk with the last process that has it open. */
function namelessFile(directories: readonly string[]): number {
  const failures: string[] = [];
  for (const directory of directories) {
    const path = join(directory, `distributor-node-${process.pid}-${Date.now()}`);
    try {
      const descriptor = openSync(path, 'wx+', 0o600);
      rmSync(path);
      return descriptor;
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  throw new Error(`No file for the settings could be made: ${failures.join('; ')}`);
}

/**
 * Asks for news. Costs about a microsecond where there are none.
 * @param known the number of the settings already in force
 * @returns called before each request: the settings from now on; null: as before
 */
export function sharedSettingsReader(descriptor: number, known: number): () => Settings | null {
  const head = Buffer.alloc(headBytes);
  const again = Buffer.alloc(headBytes);
  let last = known;
  return () => {
    readSync(descriptor, head, 0, headBytes, 0);
    // Read while it is written over, it shows by a head that has changed meanwhile; then once more.
    while (head.readUInt32LE(0) > last || head.readUInt32LE(8) > last) {
      const number = head.readUInt32LE(0);
      const body = bodyAt(descriptor, placeOf(number), head.readUInt32LE(4));
      readSync(descriptor, again, 0, headBytes, 0);
      if (number === head.readUInt32LE(8) && again.equals(head)) {
        last = number;
        return JSON.parse(body.toString()) as Settings;
      }
      again.copy(head);
    }
    return null;
  };
}

function bodyAt(descriptor: number, place: number, length: number): Buffer {
  const body = Buffer.alloc(length);
  for (let at = 0; at < length; ) {
    const got = readSync(descriptor, body, at, length - at, place + at);
    if (got === 0) break;
    at += got;
  }
  return body;
}
