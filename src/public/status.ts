// The document of `GET /api/v1/status`, with the property names that existing monitors read.

import { monotonicMs } from '../base/monotonic.ts';
import type { ActivityMetrics, ServerSetup } from '../ipc/messages.ts';
import type { ObjectView } from './object-view.ts';

/** The squid's height at the last sync, as its driver stored it in the index. */
interface SquidMark {
  readonly height: number | null;
  readonly version: string | null;
}

export function statusDocument(
  {
    id,
    version,
    startedMs,
    statusFacts: facts,
  }: Pick<ServerSetup, 'id' | 'version' | 'statusFacts'> & { readonly startedMs: number },
  view: ObjectView,
  { downloadsInProgress }: ActivityMetrics,
) {
  const { settings, summary } = view;
  const squid = view.mark('squid') as SquidMark | undefined;
  const height = squid?.height ?? 0;
  return {
    id,
    version,
    ...(settings.workerId !== null && { workerId: settings.workerId }),
    objectsInCache: summary?.totals.files ?? 0,
    /** Bytes. Clients generated from the peer's OpenAPI document do not accept null. */
    storageLimit: facts?.storageLimit ?? 0,
    storageUsed: summary?.totals.fileBytes ?? 0,
    /** Seconds. */
    uptime: Math.floor((monotonicMs() - startedMs) / 1000),
    downloadsInProgress,
    ...(facts?.nodeEnv !== undefined && { nodeEnv: facts.nodeEnv }),
    queryNodeStatus: {
      url: facts?.queryNodeUrl ?? '',
      chainHead: height,
      blocksProcessed: height,
      packageVersion: squid?.version ?? '',
    },
  };
}
