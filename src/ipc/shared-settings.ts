// The settings in force, in a nameless file: the control process writes it, every public worker looks at it before each request.
//
// So new settings hold from the moment they are written, however busy or hung a worker is, and nobody waits for one.
import { closeSync, readSync } from 'node:fs';
import type { Settings } from '../../machines/settings.ts';
import { messageOf } from '../base/errors.ts';
import { namelessFile, writeFully } from './nameless-file.ts';

/** Under this number a worker inherits the file, behind its three streams and its channel. */
export const sharedSettingsDescriptor = 4;

/** Which settings: later ones have a higher number. */
export interface NumberedSettings {
  readonly number: number;
  readonly settings: Settings;
}

export interface SharedSettings {
  readonly descriptor: number;
  /** Find room for these settings, so that a `write` of them has only its head to write. @throws {Error} for the operator, when the system refuses */
  prepare(settings: Settings): void;
  /** When it returns, every reader sees these. @throws {Error} for the operator, when the system refuses; the sharedSettings is as it was */
  write(numbered: NumberedSettings): void;
  close(): void;
}

// A head of four words: number, place and length of the settings, number again. The settings follow it, or each other:
// those in force are never written over.
const headBytes = 16;

interface Body {
  readonly place: number;
  readonly bytes: Buffer;
}

/**
 * @param directories where the file may be made, the first that will do
 * @throws {Error} for the operator, where none will do
 */
export function openSharedSettings(directories?: readonly string[]): SharedSettings {
  const descriptor = namelessFile(Buffer.alloc(headBytes), directories);
  let isOpen = true;
  let inForce = { place: headBytes, end: headBytes };
  let prepared: Body | null = null;
  const prepare = (settings: Settings): Body => {
    const bytes = Buffer.from(JSON.stringify(settings));
    if (prepared?.bytes.equals(bytes)) return prepared;
    prepared = null;
    const place = headBytes + bytes.length <= inForce.place ? headBytes : inForce.end;
    attempt(() => writeFully(descriptor, bytes, place));
    prepared = { place, bytes };
    return prepared;
  };
  return {
    descriptor,
    prepare,
    write({ number, settings }) {
      const { place, bytes } = prepare(settings);
      const head = Buffer.alloc(headBytes);
      for (const [at, word] of [number, place, bytes.length, number].entries()) head.writeUInt32LE(word, at * 4);
      attempt(() => writeFully(descriptor, head, 0));
      inForce = { place, end: place + bytes.length };
      prepared = null;
    },
    close() {
      // Closing twice would close a file that has been opened since under the same number.
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function attempt(write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new Error(`The settings cannot be handed to the server processes: ${messageOf(error)}`, { cause: error });
  }
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
    while (head.readUInt32LE(0) > last || head.readUInt32LE(12) > last) {
      const number = head.readUInt32LE(0);
      const body = bodyAt(descriptor, head.readUInt32LE(4), head.readUInt32LE(8));
      readSync(descriptor, again, 0, headBytes, 0);
      if (number === head.readUInt32LE(12) && again.equals(head)) {
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
