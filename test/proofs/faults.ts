// Injects faults into a running node from outside: its port, its server processes, its disk.
import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Home, RealNode } from '../support/harness.ts';

export const faultNames = ['port taken', 'worker killed', 'worker stopped', 'state directory replaced'] as const;
export type FaultName = (typeof faultNames)[number];

export interface Victim {
  readonly home: Home;
  readonly node: RealNode;
  readonly lastsMs: number;
}

/** Resolves when it is over, with whether there was anything to break. */
export function throwIn(name: FaultName, victim: Victim): Promise<boolean> {
  switch (name) {
    case 'port taken':
      return takePort(victim);
    case 'worker killed':
      return hitWorker(victim, 'SIGKILL');
    case 'worker stopped':
      return hitWorker(victim, 'SIGSTOP');
    case 'state directory replaced':
      return replaceState(victim);
  }
}

async function takePort({ home, lastsMs }: Victim): Promise<boolean> {
  const server = createServer((socket) => socket.destroy()).listen({ host: '127.0.0.1', port: home.port });
  const isTaken = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (!isTaken) return false;
  await sleep(lastsMs);
  await new Promise((resolve) => server.close(resolve));
  return true;
}

async function hitWorker({ node }: Victim, signal: 'SIGKILL' | 'SIGSTOP'): Promise<boolean> {
  const [pid] = await node.workerPids();
  if (!pid) return false;
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    // It has just been replaced.
    return false;
  }
}

/** A file in its place, then the directory as it was. What the node has written there in between is dropped. */
async function replaceState({ home, lastsMs }: Victim): Promise<boolean> {
  const { statePath } = home;
  await rename(statePath, `${statePath}.away`);
  while (!(await isWritten(statePath))) await rm(statePath, { recursive: true, force: true });
  await sleep(lastsMs);
  await rm(statePath, { recursive: true, force: true });
  for (;;) {
    try {
      await rename(`${statePath}.away`, statePath);
      return true;
    } catch {
      await rm(statePath, { recursive: true, force: true });
    }
  }
}

const isWritten = (path: string): Promise<boolean> =>
  writeFile(path, 'not a directory').then(
    () => true,
    () => false,
  );
