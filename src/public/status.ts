// The document of `GET /api/v1/status`, with the property names that existing monitors read.

import { monotonicMs } from '../base/monotonic.ts';
import type { ActivityMetrics, ServerSetup } from '../ipc/messages.ts';
import type { ObjectIndex } from './object-index.ts';

export function statusDocument(
  { id, version, startedMs, statusFacts: facts }: ServerSetup & { readonly startedMs: number },
  { settings, files }: ObjectIndex,
  { downloadsInProgress }: ActivityMetrics,
) {
  return {
    id,
    version,
    ...(settings.workerId !== null && { workerId: settings.workerId }),
    objectsInCache: files.count,
    /** Bytes. Clients generated from the peer's OpenAPI document do not accept null. */
    storageLimit: facts?.storageLimit ?? 0,
    storageUsed: files.bytes,
    /** Seconds. */
    uptime: Math.floor((monotonicMs() - startedMs) / 1000),
    downloadsInProgress,
    ...(facts?.nodeEnv !== undefined && { nodeEnv: facts.nodeEnv }),
    queryNodeStatus: { url: facts?.queryNodeUrl ?? '', chainHead: 0, blocksProcessed: 0, packageVersion: '' },
  };
}
