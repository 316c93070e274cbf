// The document of `GET /api/v1/status`, in the words that existing monitors read.
import type { ActivityMetrics, WorkerSetup } from '../ipc/messages.ts';
import type { ObjectIndex } from './object-index.ts';

export function statusDocument(
  { id, version, startedAt, statusFacts: facts }: WorkerSetup & { readonly startedAt: number },
  { settings, files }: ObjectIndex,
  { downloadsInProgress }: ActivityMetrics,
) {
  return {
    id,
    version,
    ...(settings.workerId !== null && { workerId: settings.workerId }),
    objectsInCache: files.count,
    /** Bytes. Clients generated from the peer's description take no null. */
    storageLimit: facts?.storageLimit ?? 0,
    storageUsed: files.bytes,
    /** Seconds. */
    uptime: Math.max(0, Math.floor((Date.now() - startedAt) / 1000)),
    downloadsInProgress,
    ...(facts?.nodeEnv !== undefined && { nodeEnv: facts.nodeEnv }),
    queryNodeStatus: { url: facts?.queryNodeUrl ?? '', chainHead: 0, blocksProcessed: 0, packageVersion: '' },
  };
}
