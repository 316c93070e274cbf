// What a lock file says of the process that holds the lock: a hint for people, which others may have written.
import { readFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';

/** More than that is nothing that a node has written. */
const longest = 1024;

export async function noteHolder(file: FileHandle): Promise<void> {
  await file.truncate();
  await file.write(JSON.stringify({ pid: process.pid, host: hostname(), boot: bootId() }), 0);
}

/** For a message, after "another node": empty where nothing is known. */
export async function holderWords(file: FileHandle): Promise<string> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(longest), 0, longest, 0);
  const { pid, host, boot } = parsed(buffer.toString('utf8', 0, bytesRead));
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return '';
  const isElsewhere = typeof host === 'string' && host !== hostname() && /^[\w.-]{1,253}$/.test(host);
  const place = isElsewhere ? ` on ${host}` : '';
  // Only a network file system shows that: a lock is that of one kernel.
  return ` (process ${pid}${place}${boot === bootId() ? '' : ' of another machine'})`;
}

function parsed(text: string): { pid?: unknown; host?: unknown; boot?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Of the running kernel. Null: not known. */
export function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}
