// Refusals in the audit log: what counts as one, and the file they have to themselves.
import { join, parse } from 'node:path';
import type { AuditEntry } from './audit-entry.ts';

/** The request was rejected and had no effect. A 500 is not a refusal but a failed command. */
export const isRefusal = ({ status }: Pick<AuditEntry, 'status'>): boolean => status >= 400 && status < 500;

/** Refusals have their own files, so that a flood of them rotates out no command: `audit-refusals.jsonl`. */
export function refusalsBeside(file: string): string {
  const { dir, name, ext } = parse(file);
  return join(dir, `${name}-refusals${ext}`);
}
