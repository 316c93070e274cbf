// What the operator API keeps on disk: which request tokens were used, and who asked for what.
import { join } from 'node:path';
import type { Trouble } from '../condition.ts';
import type { Config } from '../config.ts';
import type { SyncDirectory } from '../sync-directory.ts';
import { type AuditTrail, openAuditTrail } from './audit-trail.ts';
import type { UsedTokens } from './used-tokens.ts';
import { openUsedTokens } from './used-tokens-file.ts';

export interface OperatorRecords {
  readonly usedTokens: UsedTokens;
  readonly auditTrail: AuditTrail;
  readonly troubles: readonly Trouble[];
  close(): Promise<void>;
}

/** Never rejects for the disk's sake: what goes wrong is a trouble, and the node runs. */
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
    get troubles() {
      return [...usedTokens.troubles, ...auditTrail.troubles];
    },
    async close() {
      await Promise.all([usedTokens.close(), auditTrail.close()]);
    },
  };
}
