// How many connections a process can accept within its limit of open files.
import { readFileSync } from 'node:fs';

/** Files that a process needs besides connections: IPC channel, listeners, logs, state directory. */
const reserve = 48;

/** Node raises the limit to the hard limit, which child processes inherit. Null: not known. */
export function openFileLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/**
 * How many of the wanted connections a process can accept and still serve. Beyond that it would accept connections that
 * it cannot serve, and could not reopen its port beside a drain.
 * @param wanted 0: as many as possible
 * @param each files that one connection may need, itself included
 */
export function affordableConnections(wanted: number, each: number, limit = openFileLimit()): number {
  if (limit === null) return wanted;
  const most = Math.max(1, Math.floor((limit - reserve) / each));
  return wanted === 0 ? most : Math.min(wanted, most);
}
