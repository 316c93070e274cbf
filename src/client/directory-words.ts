// What the node knows of its directory, as text: shared by the command line and the console.
import type { DirectoryStatus } from '../control/node-control.ts';

const grouped = (count: number): string => count.toLocaleString('en');

const objects = (count: number): string => `${grouped(count)} object${count === 1 ? '' : 's'}`;
const bags = (count: number): string => `${grouped(count)} bag${count === 1 ? '' : 's'}`;

/** One line, without times: `3 objects in 1 bag; reading: 2 objects in 1 bag so far`. */
export function directoryWords(directory: DirectoryStatus | null): string {
  if (directory === null) return 'not known yet';
  const { activity, bagsRead, objectsRead, filesToHash, height, squidVersion, pid } = directory;
  const version = squidVersion === null ? '' : ` (version ${squidVersion})`;
  return [
    `${objects(directory.objects)} in ${bags(directory.bags)}`,
    directory.readAt === null ? 'never read completely' : '',
    activity === 'reading' ? `reading: ${objects(objectsRead ?? 0)} in ${bags(bagsRead ?? 0)} so far` : '',
    filesToHash > 0 ? `${grouped(filesToHash)} file${filesToHash === 1 ? '' : 's'} to hash` : '',
    height === null ? '' : `squid at block ${grouped(height)}${version}`,
    pid === null ? 'no content process' : '',
  ]
    .filter((part) => part !== '')
    .join('; ');
}
