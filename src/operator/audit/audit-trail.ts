// The way of an audit entry: floods summed up, then to the file and to whoever else listens, once each.
import type { Condition } from '../../base/condition.ts';
import type { Audit, AuditEntry } from './audit-entry.ts';
import { type AuditFileOptions, openAuditFile } from './audit-file.ts';
import { type FloodOptions, floodGate } from './audit-floods.ts';

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
  const file = await openAuditFile(options);
  const listeners = new Set<(entry: AuditEntry) => void>();
  const gate = floodGate((entry) => {
    for (const listener of listeners) listener(entry);
    return file.write(entry);
  }, options.floods);
  return {
    audit: gate.audit,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get conditions() {
      return file.conditions;
    },
    async close() {
      gate.flush();
      await file.close();
    },
  };
}
