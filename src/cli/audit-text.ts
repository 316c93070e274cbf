// A line of the audit log in words for people.
import type { AuditEntry } from '../operator/audit/audit-entry.ts';
import type { LostEntries } from '../operator/audit/audit-file.ts';
import type { Moment } from '../operator/http/request-state.ts';

/** Longer bodies are cut: `--output json` has them whole. */
const longestInput = 200;

export function auditText(line: AuditEntry | LostEntries): string {
  const at = line.at.replace('T', ' ');
  if ('lost' in line) return `${at}  ${line.lost} entries are lost: the disk did not take them`;
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
  const who = sub === null ? 'someone' : sub;
  return `${who}${kind === null ? '' : ` (${kind} token)`} from ${from ?? 'an address that had gone'}`;
}

function inputWords(input: unknown): string {
  const text = JSON.stringify(input);
  return text.length <= longestInput ? text : `${text.slice(0, longestInput)}… (${text.length} characters)`;
}

/** Nothing where nothing changed. */
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
