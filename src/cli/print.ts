// The only way from the command line to stdout and stderr. Control characters in printed text cannot reach a terminal.
import { once } from 'node:events';
import { printable, printableJson, printableLines } from '../base/printable.ts';

/** Lines for people. Line breaks within a line are escaped. */
export const say = (...lines: readonly string[]): void => write(process.stdout, lines);

/** Errors, warnings and notes: everything that is not the output itself. */
export const sayError = (...lines: readonly string[]): void => write(process.stderr, lines);

/** For programs. Escaping loses nothing. */
export function sayJson(value: unknown, indent?: number): void {
  process.stdout.write(`${printableJson(value, indent)}\n`);
}

/** A whole file, such as a catalogue or a diagram. It is escaped only on a terminal. */
export function sayFile(text: string): void {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  process.stdout.write(process.stdout.isTTY ? printableLines(whole) : whole);
}

/** Writes a file in pieces of whole lines, with backpressure. Ends when the reader has closed the pipe. */
export async function sayPieces(pieces: AsyncIterable<string>, beforeEach: () => void): Promise<void> {
  for await (const piece of pieces) {
    beforeEach();
    const text = process.stdout.isTTY ? printableLines(piece) : piece;
    if (process.stdout.write(text)) continue;
    const isGone = await once(process.stdout, 'drain').then(
      () => false,
      () => true,
    );
    if (isGone || !process.stdout.writable) return;
  }
}

/** On a terminal, each progress line replaces the one before, and `wipeProgress` removes it. */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${emptyLine}${printable(line)}`);
  else sayError(line);
}

export function wipeProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(emptyLine);
}

/** Returns to the start of the line and clears it. */
const emptyLine = '\r\x1b[K';

function write(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  stream.write(lines.map((line) => `${printable(line)}\n`).join(''));
}
