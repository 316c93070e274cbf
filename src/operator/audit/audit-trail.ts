// Routes audit entries: summarizes floods, then writes each entry to its file and to every listener.
import type { Condition } from '../../base/condition.ts';
import type { Audit, AuditEntry } from './audit-entry.ts';
import { type AuditFileOptions, openAuditFile } from './audit-file.ts';
import { type FloodOptions, floodGate } from './audit-floods.ts';
import { isRefusal, refusalsBeside } from './audit-refusals.ts';

export interface AuditTrail {
  /** Records one entry. */
  readonly audit: Audit;
  /** Call the listener with every entry that is written. It must not throw. @returns the unsubscriber */
  subscribe(listener: (entry: AuditEntry) => void): () => void;
  readonly conditions: readonly Condition[];
  /** Writes pending counts and entries. */
  close(): Promise<void>;
}

export async function openAuditTrail(options: AuditFileOptions & { floods: FloodOptions }): Promise<AuditTrail> {
  const [done, refused] = await Promise.all([
    openAuditFile(options),
    openAuditFile({ ...options, file: refusalsBeside(options.file) }),
  ]);
  const listeners = new Set<(entry: AuditEntry) => void>();
  const gate = floodGate((entry) => {
    for (const listener of listeners) listener(entry);
    return (isRefusal(entry) ? refused : done).write(entry);
  }, options.floods);
  return {
    audit: gate.audit,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get conditions() {
      // Both files are on one disk: report its condition once.
      return [...done.conditions, ...refused.conditions].slice(0, 1);
    },
    async close() {
      gate.flush();
      await Promise.all([done.close(), refused.close()]);
    },
  };
}
