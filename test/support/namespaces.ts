// Other namespaces of the same kernel, as containers have them: a command is run there, beside what it shares with this process.
import { spawnSync } from 'node:child_process';

export interface Elsewhere {
  /** What the command sees differently, for the name of a test. */
  readonly words: string;
  /** The whole command line; there, `alias` is another name of `directory`. Both must exist. */
  command(directory: string, alias: string, command: readonly string[]): readonly string[];
}

/** `$0` is the directory, `$1` its other name, the rest the command. */
const mounted = 'mount --bind "$0" "$1" && shift && exec "$@"';

const ways = [
  { words: 'in another network and mount namespace', unshare: ['unshare', '--net', '--mount'] },
  {
    words: 'in another user, network and mount namespace',
    unshare: ['unshare', '--user', '--map-root-user', '--net', '--mount'],
  },
];

/** Null: this system lets no such namespaces be made, to this user. */
export function otherNamespaces(): Elsewhere | null {
  const way = ways.find(
    ({ unshare: [tool = '', ...options] }) =>
      spawnSync(tool, [...options, 'sh', '-c', 'mount --bind /tmp /tmp']).status === 0,
  );
  if (way === undefined) return null;
  return {
    words: way.words,
    command: (directory, alias, command) => [...way.unshare, 'sh', '-c', mounted, directory, alias, ...command],
  };
}
