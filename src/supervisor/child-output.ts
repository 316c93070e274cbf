// Reads the output of a child process line by line, and keeps its last error for the crash report.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const maxLineLength = 500;

/**
 * @param print called with each line, truncated to bound the log
 * @returns the last line that names an error, otherwise the last line; '' if there was no output
 */
export function lastErrorLine(child: ChildProcess, print: (line: string) => void): () => string {
  let last = '';
  let lastError = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (whole) => {
      const line = whole.slice(0, maxLineLength);
      if (line.trim() === '') return;
      last = line.trim();
      if (/^(?:[A-Za-z]*Error\b|FATAL)/.test(last)) lastError = last;
      print(line);
    });
  }
  return () => lastError || last;
}
