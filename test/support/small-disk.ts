// A disk for the index of a node that a test can fill: a file system in memory, or else a limit of the size of files.
import { spawnSync } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { indexFolder } from '../../src/store/index-folder.ts';
import type { Home, RealNode, StartOptions } from './harness.ts';

export interface SmallDisk {
  readonly options: StartOptions;
  fill(node: RealNode): Promise<void>;
  free(node: RealNode): Promise<void>;
}

const bytes = 8 * 1024 * 1024;
const mounted = `mkdir -p "$0" && mount -t tmpfs -o size=${bytes} tmpfs "$0" && exec "$@"`;

const ways = [
  ['unshare', '--mount'],
  ['unshare', '--user', '--map-root-user', '--mount'],
];

export function smallDisk(home: Home): SmallDisk {
  const way = ways.find(
    ([tool = '', ...options]) => spawnSync(tool, [...options, 'sh', '-c', 'mount -t tmpfs tmpfs /tmp']).status === 0,
  );
  // The limit holds for every file, so there is nothing to fill: the index outgrows it.
  if (way === undefined) {
    return { options: { fileBlocks: bytes / 512 }, fill: async () => {}, free: async () => {} };
  }
  const folder = indexFolder(home.statePath);
  // The folder as the node sees it.
  const filler = ({ pid }: RealNode) => join(`/proc/${pid}/root`, folder, 'filler');
  return {
    options: { through: (command) => [...way, 'sh', '-c', mounted, folder, ...command] },
    fill: (node) => fill(filler(node)),
    free: (node) => rm(filler(node)),
  };
}

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    await file.close();
  }
}
