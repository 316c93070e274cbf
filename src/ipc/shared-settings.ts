// The effective settings in a shared anonymous file: the control process writes it, server processes read it before each request.
//
// So new settings take effect as soon as they are written, and the control process never waits for a busy server process.
import { closeSync, readSync } from 'node:fs';
import type { Settings } from '../../machines/settings.ts';
import { messageOf } from '../base/errors.ts';
import { anonymousFile, writeFully } from './anonymous-file.ts';

/** Descriptor under which a server process inherits the file, after its three streams and the IPC channel. */
export const sharedSettingsDescriptor = 4;

/** Settings with their version: later ones have a higher number. */
export interface NumberedSettings {
  readonly number: number;
  readonly settings: Settings;
}

export interface SharedSettings {
  readonly descriptor: number;
  /** Writes the body of these settings in advance, so that `write` only has to write the header. @throws {Error} with a reason for the operator */
  prepare(settings: Settings): void;
  /** When it returns, every reader sees these. @throws {Error} with a reason for the operator; the old settings then stay */
  write(numbered: NumberedSettings): void;
  close(): void;
}

// Layout: a header of four words (number, place and length of the body, number again), then the bodies. A new
// body never overwrites the effective one.
const headerBytes = 16;

interface Body {
  readonly place: number;
  readonly bytes: Buffer;
}

/**
 * @param directories candidates for the file; the first that works is used
 * @throws {Error} with a reason for the operator if none works
 */
export function openSharedSettings(directories?: readonly string[]): SharedSettings {
  const descriptor = anonymousFile(Buffer.alloc(headerBytes), directories);
  let isOpen = true;
  let effective = { place: headerBytes, end: headerBytes };
  let prepared: Body | null = null;
  const prepare = (settings: Settings): Body => {
    const bytes = Buffer.from(JSON.stringify(settings));
    if (prepared?.bytes.equals(bytes)) return prepared;
    prepared = null;
    const place = headerBytes + bytes.length <= effective.place ? headerBytes : effective.end;
    attempt(() => writeFully(descriptor, bytes, place));
    prepared = { place, bytes };
    return prepared;
  };
  return {
    descriptor,
    prepare,
    write({ number, settings }) {
      const { place, bytes } = prepare(settings);
      const header = Buffer.alloc(headerBytes);
      for (const [at, word] of [number, place, bytes.length, number].entries()) header.writeUInt32LE(word, at * 4);
      attempt(() => writeFully(descriptor, header, 0));
      effective = { place, end: place + bytes.length };
      prepared = null;
    },
    close() {
      // A second close would close a file that has since been opened with the same descriptor.
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
}

function attempt(write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new Error(`The settings could not be sent to the server processes: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Reads the settings if they have changed. Costs about a microsecond if they have not.
 * @param known the number of the settings that the reader has
 * @returns call it before each request: new settings; null: unchanged
 */
export function sharedSettingsReader(descriptor: number, known: number): () => Settings | null {
  const header = Buffer.alloc(headerBytes);
  const again = Buffer.alloc(headerBytes);
  let last = known;
  return () => {
    readSync(descriptor, header, 0, headerBytes, 0);
    // Seqlock: retry if the header changed.
    while (header.readUInt32LE(0) > last || header.readUInt32LE(12) > last) {
      const number = header.readUInt32LE(0);
      const body = bodyAt(descriptor, header.readUInt32LE(4), header.readUInt32LE(8));
      readSync(descriptor, again, 0, headerBytes, 0);
      if (number === header.readUInt32LE(12) && again.equals(header)) {
        last = number;
        return JSON.parse(body.toString()) as Settings;
      }
      again.copy(header);
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
