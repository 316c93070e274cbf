// Which lines of the audit log are shown, and how one says so on the command line.
import { InvalidArgumentError } from 'commander';
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import type { LostEntries } from '../operator/audit/audit-file.ts';
import { parseDuration } from './duration.ts';

export interface AuditFilter {
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly command?: string;
  readonly sub?: string;
  /** Three digits, or one and `xx`. */
  readonly status?: string;
}

/** Lines that say how many are lost are shown whatever is asked for: one of those asked for may be among them. */
export function filterOf({ since, command, sub, status }: AuditFilter): (line: AuditEntry | LostEntries) => boolean {
  return (line) => {
    if (since !== undefined && Date.parse(line.at) < since) return false;
    if ('lost' in line) return true;
    if (command !== undefined && line.command !== command) return false;
    if (sub !== undefined && line.sub !== sub) return false;
    return status === undefined || String(line.status).startsWith(status.replace('xx', ''));
  };
}

/**
 * A moment, in milliseconds since the epoch.
 * @throws {InvalidArgumentError}
 */
export function parseSince(text: string, _previous?: unknown, now = Date.now()): number {
  if (/^[0-9]+[a-z]+$/.test(text)) return now - parseDuration(text);
  const time = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isFinite(time)) return time;
  throw new InvalidArgumentError('It must be a time like 2026-11-23T08:00Z, or how long ago, like 30m, 12h or 7d.');
}

/** @throws {InvalidArgumentError} */
export function parseStatus(text: string): string {
  if (/^[2-5]([0-9]{2}|xx)$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a status like 200 or 409, or 4xx for all that begin so.');
}
