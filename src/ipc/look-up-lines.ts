// The lines of the look-up channel: newline-delimited JSON over a Unix socket, each line of bounded length.
import type { Socket } from 'node:net';
import type { LookUp } from './look-up.ts';

/**
 * From a server process. `bad`: the id of an object whose copy does not match its record; `damaged`: the id of the index, and what
 * a read of it met. Those two are not answered.
 */
export type Question =
  | { readonly seq: number; readonly id: string }
  | { readonly bad: string }
  | { readonly damaged: string; readonly message: string };

export interface Answer {
  readonly seq: number;
  readonly answer: LookUp;
}

/** Longest line in bytes: an id in the index has at most 500. */
export const maxQuestionBytes = 1024;
/** Longest message about damage, in characters. */
export const maxMessageLength = 200;
export const maxAnswerBytes = 64 * 1024;

/** Unread bytes allowed in the buffer of a connection. */
export const maxUnreadBytes = 256 * 1024;

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
    // Counts characters: no line has more of them than bytes.
    if (rest.length > maxBytes) socket.destroy();
  });
}

export const lineOf = (message: Question | Answer): string => `${JSON.stringify(message)}\n`;
