// Records of the operator API on disk: used request tokens and the audit log.
import { join } from 'node:path';
import type { Condition } from '../../base/condition.ts';
import type { SyncDirectory } from '../../base/sync-directory.ts';
import type { Config } from '../../config/config.ts';
import type { UsedTokens } from '../auth/used-tokens.ts';
import { openUsedTokens } from '../auth/used-tokens-file.ts';
import { type AuditTrail, openAuditTrail } from './audit-trail.ts';

export interface OperatorRecords {
  readonly usedTokens: UsedTokens;
  readonly auditTrail: AuditTrail;
  readonly conditions: readonly Condition[];
  close(): Promise<void>;
}

/** Disk errors become conditions; they never reject. */
export async function openOperatorRecords(
  config: Pick<Config, 'directories' | 'stateFile' | 'auditLog'>,
  { maxUsedTokens }: Pick<NonNullable<Config['operatorApi']>, 'maxUsedTokens'>,
  syncDirectory: SyncDirectory,
): Promise<OperatorRecords> {
  const { directories, stateFile, auditLog } = config;
  const { path: file, maxBytes, maxFiles, writeTimeoutMs, refusalsPerInterval, intervalSec } = auditLog;
  const floods = { singly: refusalsPerInterval, intervalMs: intervalSec * 1000 };
  const [usedTokens, auditTrail] = await Promise.all([
    openUsedTokens({
      file: join(directories.state, 'used-tokens'),
      max: maxUsedTokens,
      now: Date.now,
      writeTimeoutMs: stateFile.saveTimeoutMs,
      retryMs: stateFile.saveRetryMs,
      syncDirectory,
    }),
    openAuditTrail({ file, maxBytes, maxFiles, writeTimeoutMs, now: Date.now, floods }),
  ]);
  return {
    usedTokens,
    auditTrail,
    get conditions() {
      return [...usedTokens.conditions, ...auditTrail.conditions];
    },
    async close() {
      await Promise.all([usedTokens.close(), auditTrail.close()]);
    },
  };
}
