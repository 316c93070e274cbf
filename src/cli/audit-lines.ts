// Lines of the audit log: which ones are shown, and how they read for people.
import { InvalidArgumentError } from 'commander';
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import type { LostEntries } from '../operator/audit/audit-file.ts';
import type { Moment } from '../operator/http/request-state.ts';
import { parseDuration } from './argument-types.ts';

export interface AuditFilter {
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly command?: string;
  readonly sub?: string;
  /** Three digits, or one digit and `xx`. */
  readonly status?: string;
}

/** Lines that report lost entries pass every filter: a matching entry may be among the lost ones. */
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
  throw new InvalidArgumentError('It must be a time like 2026-11-23T08:00Z, or an age like 30m, 12h or 7d.');
}

/** @throws {InvalidArgumentError} */
export function parseStatus(text: string): string {
  if (/^[2-5]([0-9]{2}|xx)$/.test(text)) return text;
  throw new InvalidArgumentError('It must be a status like 200 or 409, or a class like 4xx.');
}

/** Longer bodies are truncated; `--output json` prints them in full. */
const longestInput = 200;

export function auditText(line: AuditEntry | LostEntries): string {
  const at = line.at.replace('T', ' ');
  if ('lost' in line) return `${at}  ${line.lost} entries were lost: they could not be written to disk`;
  const { status, command, method, input, detail, summary } = line;
  const words = [
    at,
    String(status),
    (summary ? '' : (command ?? method)).padEnd(11),
    whoWords(line),
    detail ?? '',
    input === null || isEmpty(input) ? '' : inputWords(input),
    changeWords(line.before, line.after),
    summary ? countWords(summary.from) : '',
  ];
  return words.filter((word) => word !== '').join('  ');
}

function whoWords({ sub, kind, from, method, summary }: AuditEntry): string {
  if (summary) return `since ${summary.since.replace('T', ' ')}${sub === null ? '' : ` by ${sub}`}`;
  if (method.startsWith('SIG')) return `by ${method}`;
  const who = sub === null ? 'unknown' : sub;
  return `${who}${kind === null ? '' : ` (${kind} token)`} from ${from ?? 'an unknown address'}`;
}

function inputWords(input: unknown): string {
  const text = JSON.stringify(input);
  return text.length <= longestInput ? text : `${text.slice(0, longestInput)}… (${text.length} characters)`;
}

/** Empty if the state did not change. */
function changeWords(before: Moment | null, after: Moment | null): string {
  if (before === null || after === null) return '';
  const steps = [
    [before.node, after.node, ''],
    [before.publicApi, after.publicApi, 'public API '],
    [before.generation, after.generation, 'generation '],
  ];
  return steps
    .filter(([was, is]) => was !== is)
    .map(([was, is, name]) => `${name}${was} → ${is}`)
    .join(', ');
}

const countWords = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name}: ${count}`)
    .join(', ');

const isEmpty = (input: unknown): boolean =>
  typeof input === 'object' && input !== null && Object.keys(input).length === 0;
