// What the kernel says of a process and of a folder, for proofs.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** By read calls since its start, as the kernel counts them; 0 where it does not say, or the process has gone. */
export function readBytes(pid: number): number {
  try {
    return Number(/^rchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

export function residentBytes(pid: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Of all files in a folder. */
export const bytesIn = (folder: string): number =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
