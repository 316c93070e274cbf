// What a worker process prints: handed on line by line, and its last complaint kept for the report of its end.
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const longestLine = 500;

/**
 * @param print called with each line, cut to a sane length
 * @returns the line in which the process named its last error, or its last line; '' if it said nothing
 */
export function lastWords(child: ChildProcess, print: (line: string) => void): () => string {
  let last = '';
  let complaint = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (whole) => {
      const line = whole.slice(0, longestLine);
      if (line.trim() === '') return;
      last = line.trim();
      if (/^(?:[A-Za-z]*Error\b|FATAL)/.test(last)) complaint = last;
      print(line);
    });
  }
  return () => complaint || last;
}
