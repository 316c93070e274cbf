// The one way from the command line to stdout and stderr; what others have written cannot steer a terminal from here.
import { printable, printableJson, printableLines } from '../base/printable.ts';

/** Lines for people. Each stays one line, whatever is in it. */
export const say = (...lines: readonly string[]): void => write(process.stdout, lines);

/** What went wrong, and what is said beside the output. */
export const complain = (...lines: readonly string[]): void => write(process.stderr, lines);

/** For programs, and nothing of it is lost. */
export function sayJson(value: unknown, indent?: number): void {
  process.stdout.write(`${printableJson(value, indent)}\n`);
}

/** A whole file, such as a catalogue or a diagram: it is changed only where it is shown to a person. */
export function sayFile(text: string): void {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  process.stdout.write(process.stdout.isTTY ? printableLines(whole) : whole);
}

/** On a terminal the next one is written over it, and `wipe` takes it away. */
export function showProgress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${emptyLine}${printable(line)}`);
  else complain(line);
}

export function wipeProgress(): void {
  if (process.stderr.isTTY) process.stderr.write(emptyLine);
}

/** Back to the beginning of the line, and nothing behind it. */
const emptyLine = '\r\x1b[K';

function write(stream: NodeJS.WriteStream, lines: readonly string[]): void {
  stream.write(lines.map((line) => `${printable(line)}\n`).join(''));
}
