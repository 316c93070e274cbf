// What help texts have in common, and hints for operators who type the words of the peer's command line.

/** Command lines that work as written, each with an optional comment. */
export function examples(...lines: readonly (readonly [line: string, words?: string])[]): string {
  const width = Math.max(...lines.filter(([, words]) => words).map(([line]) => line.length));
  const shown = lines.map(([line, words]) => `  $ ${words ? `${line.padEnd(width)}   # ${words}` : line}`);
  return ['', 'Examples:', ...shown].join('\n');
}

const url = '--url <url>';

const commands: Readonly<Record<string, string>> = {
  'node:stop-public-api': `stop-api ${url}`,
  'node:start-public-api': `start-api ${url}`,
  'node:shutdown': `shutdown ${url}`,
  'node:set-worker': `set-worker --worker-id <number> ${url}`,
  'node:set-buckets': `set-buckets <ids...> ${url}, or set-buckets --all ${url}`,
};

const ids = 'the ids are arguments here, as in set-buckets 1:0 1:1';
const worker = 'here it is --worker-id <number>';

const options: Readonly<Record<string, string>> = {
  '-u': `here it is ${url}`,
  '-s': 'here it is --secret-file <file>, or --secret <secret>',
  '-w': worker,
  '--workerId': worker,
  '-B': ids,
  '--bucketIds': ids,
  '-a': 'here it is --all',
};

/**
 * Hints to append to an error; none if no word of the peer was typed. The value of an option may be a secret and is
 * never printed.
 */
export function peerHints([command = '', ...rest]: readonly string[]): string[] {
  const own = commands[command];
  if (own !== undefined) return [`Here it is: distributor-node ${own}`];
  if (/^(?:leader|operator|dev):/.test(command)) {
    return ['Operations on the chain are not part of this program: use joystream-distributor.'];
  }
  const flags = new Set(rest.map((word) => /^--\w+|^-\w/.exec(word)?.[0] ?? ''));
  return [...flags].flatMap((flag) => (options[flag] === undefined ? [] : [`${flag}: ${options[flag]}`]));
}
