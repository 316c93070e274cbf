// Puts the public side of a node together from its config.

import { affordableConnections, openFileLimit } from '../base/open-files.ts';
import { version } from '../base/version.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log/log.ts';
import type { PublicSide } from './public-side.ts';
import { createWorkers } from './supervisor.ts';

export function createPublicSide({ id, publicApi, supervision, statusFacts }: Config, log: Logger): PublicSide {
  const { host, port, workers: count, workerTimeoutMs, heartbeatMs, niceness, drainTimeoutSec, ...rest } = publicApi;
  const { startRetryMs: _, lameDuckSec: __, ...limits } = { ...rest, maxConnections: connections(publicApi, log) };
  return createWorkers({
    setup: { id, version, limits, statusFacts, tellsRequests: log.isLevelEnabled('http') },
    host,
    port,
    count,
    workerTimeoutMs,
    heartbeatMs,
    niceness,
    drainTimeoutMs: drainTimeoutSec * 1000,
    ...supervision,
    log,
  });
}

/** Each connection may need a file beside its socket. */
function connections({ maxConnections, workers }: Config['publicApi'], log: Logger): number {
  const perWorker = affordableConnections(Math.ceil(maxConnections / workers), 2);
  const affordable = perWorker * workers;
  if (maxConnections > 0 && affordable >= maxConnections) return maxConnections;
  const why = `the system lets a process open ${openFileLimit()} files (ulimit -n)`;
  if (maxConnections > 0) log.warn(`publicApi.maxConnections is ${affordable}, not ${maxConnections}: ${why}`);
  return affordable;
}
