// The lines of the look-up channel: newline-delimited JSON over a Unix socket, each line of bounded length.
import type { Socket } from 'node:net';
import type { Arrival, Brought } from './arrival.ts';
import type { LookUp } from './look-up.ts';

/** From a server process. Questions with a `seq` are answered. */
export type Question =
  | { readonly seq: number; readonly id: string }
  /** Fetch this object, and report how it arrives; `from`: offset of the first byte requested. */
  | { readonly seq: number; readonly bring: string; readonly from: number }
  /** Send no more news for the question with this number. */
  | { readonly stop: number }
  /** The id of an object whose copy does not match its record. */
  | { readonly bad: string }
  /** The id of an index in which a read met damage, and a description of the damage. */
  | { readonly damaged: string; readonly message: string }
  /** Requests for copies: id → number. */
  | { readonly uses: Readonly<Record<string, number>> };

export type Answer =
  | { readonly seq: number; readonly answer: LookUp }
  /** The first answer to `bring`; if the copy is arriving, lines with news follow until its state is final. */
  | { readonly seq: number; readonly brought: Brought }
  | ({ readonly seq: number } & Pick<Arrival, 'received' | 'state'>)
  /** The new number of downloads in progress; initially 0. */
  | { readonly downloads: number };

/** Longest line in bytes: an id in the index has at most 500. */
export const maxQuestionBytes = 1024;
/** Longest message about damage, in characters. */
export const maxMessageLength = 200;
export const maxAnswerBytes = 64 * 1024;

/** Unread bytes allowed in the buffer of a connection. */
export const maxUnreadBytes = 256 * 1024;

/** Maximum number of pending look-ups of one connection. A further one is `undecided` at once. */
export const maxWaiting = 1000;

/** Maximum number of objects that one connection waits for or follows. A further one is `undecided` at once. */
export const maxFollowed = 1000;

/** Calls `take` with each line. A line that is too long, or that makes `take` throw, closes the connection. */
export function readLines(socket: Socket, maxBytes: number, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    try {
      for (const line of lines) take(line);
    } catch {
      socket.destroy();
    }
    // This counts characters, of which a line never has more than bytes.
    if (rest.length > maxBytes) socket.destroy();
  });
}

export const lineOf = (message: Question | Answer): string => `${JSON.stringify(message)}\n`;
