// The document of `GET /api/v1/status`, with the property names that existing monitors read.

import { monotonicMs } from '../base/monotonic.ts';
import { type SquidMark, squidMark } from '../ipc/content-messages.ts';
import type { ServerSetup } from '../ipc/messages.ts';
import type { ObjectView } from './object-view.ts';

export function statusDocument(
  {
    id,
    version,
    startedMs,
    statusFacts: facts,
  }: Pick<ServerSetup, 'id' | 'version' | 'statusFacts'> & { readonly startedMs: number },
  view: ObjectView,
  downloadsInProgress: number,
) {
  const { settings } = view;
  const totals = view.summary?.totals;
  const squid = view.mark(squidMark) as SquidMark | undefined;
  const height = squid?.height ?? 0;
  return {
    id,
    version,
    ...(settings.workerId !== null && { workerId: settings.workerId }),
    objectsInCache: totals === undefined ? 0 : totals.files + totals.copies,
    /** Bytes. Clients generated from the peer's OpenAPI document do not accept null. */
    storageLimit: facts?.storageLimit ?? 0,
    storageUsed: totals === undefined ? 0 : totals.fileBytes + totals.copyBytes,
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
