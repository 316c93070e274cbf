// What all help texts have in common.

/** Lines that can be typed as they stand, each with a word on what it does. */
export function examples(...lines: readonly (readonly [line: string, words?: string])[]): string {
  const width = Math.max(...lines.filter(([, words]) => words).map(([line]) => line.length));
  const shown = lines.map(([line, words]) => `  $ ${words ? `${line.padEnd(width)}   # ${words}` : line}`);
  return ['', 'Examples:', ...shown].join('\n');
}
