// The way of an audit entry: floods summed up, then to the file of its kind and to every listener, once each.
import type { Condition } from '../../base/condition.ts';
import type { Audit, AuditEntry } from './audit-entry.ts';
import { type AuditFileOptions, openAuditFile } from './audit-file.ts';
import { type FloodOptions, floodGate, isRefusal } from './audit-floods.ts';
import { refusalsBeside } from './audit-folder.ts';

export interface AuditTrail {
  /** To be given to the operator API. */
  readonly audit: Audit;
  /** Hear every entry that is written, as it is. A listener must not throw. Returns how to end it. */
  subscribe(listener: (entry: AuditEntry) => void): () => void;
  readonly conditions: readonly Condition[];
  /** Counts not told yet are, and what waits is written. */
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
      // They lie on one disk: what is wrong with it is told once.
      return [...done.conditions, ...refused.conditions].slice(0, 1);
    },
    async close() {
      gate.flush();
      await Promise.all([done.close(), refused.close()]);
    },
  };
}
