// How many connections a process can afford with the files the system lets it open.
import { readFileSync } from 'node:fs';

/** What a process needs for itself: its channel, its listeners, its logs, the files of the state directory. */
const reserve = 48;

/** Node has raised it to the hard limit by now, and child processes inherit that. Null: not known. */
export function openFileLimit(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? null : Number(soft);
  } catch {
    return null;
  }
}

/**
 * How many of the wanted connections a process can take so that it can still do its work for each of them.
 * Above that it would accept who it cannot serve, and could not open its port again beside a drain.
 * @param wanted 0: as many as possible
 * @param each files that one connection may need, itself included
 */
export function affordableConnections(wanted: number, each: number, limit = openFileLimit()): number {
  if (limit === null) return wanted;
  const most = Math.max(1, Math.floor((limit - reserve) / each));
  return wanted === 0 ? most : Math.min(wanted, most);
}
