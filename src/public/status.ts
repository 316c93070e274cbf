// The document of `GET /api/v1/status`, in the words that existing monitors read.
import type { WorkerFigures, WorkerSetup } from '../messages.ts';
import type { Holdings } from './holdings.ts';

export function statusDocument(
  { id, version, startedAt }: WorkerSetup & { readonly startedAt: number },
  { settings, files }: Holdings,
  { downloadsInProgress }: WorkerFigures,
) {
  return {
    id,
    version,
    workerId: settings.workerId,
    objectsInCache: files.count,
    /** Bytes; null: no limit. Nothing is fetched, so that none is needed. */
    storageLimit: null,
    storageUsed: files.bytes,
    /** Seconds. */
    uptime: Math.max(0, Math.floor((Date.now() - startedAt) / 1000)),
    downloadsInProgress,
    nodeEnv: process.env.NODE_ENV ?? 'development',
    // A catalogue has no query node behind it.
    queryNodeStatus: { url: null, chainHead: 0, blocksProcessed: 0, packageVersion: null },
  };
}
