// The process that holds a lock, as noted in the lock file: a hint for people that other programs may have written.
import { readFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';

/** A node never writes more than this. */
const maxBytes = 1024;

export async function noteHolder(file: FileHandle): Promise<void> {
  await file.truncate();
  await file.write(JSON.stringify({ pid: process.pid, host: hostname(), boot: bootId() }), 0);
}

/** Describes the holder, to follow "another node" in a message; empty if unknown. */
export async function describeHolder(file: FileHandle): Promise<string> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
  const { pid, host, boot } = parsed(buffer.toString('utf8', 0, bytesRead));
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return '';
  const isElsewhere = typeof host === 'string' && host !== hostname() && /^[\w.-]{1,253}$/.test(host);
  const place = isElsewhere ? ` on ${host}` : '';
  // A different boot id appears on network file systems only: elsewhere a lock belongs to one kernel.
  return ` (process ${pid}${place}${boot === bootId() ? '' : ' of another machine'})`;
}

function parsed(text: string): { pid?: unknown; host?: unknown; boot?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Boot id of the running kernel. Null: unknown. */
export function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}
