// Creates the public side of a node from its config.

import { affordableConnections, openFileLimit } from '../base/open-files.ts';
import { version } from '../base/version.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../log/log.ts';
import type { PublicSide } from './public-side.ts';
import { supervisionTimes } from './supervision.ts';
import { createSupervisor } from './supervisor.ts';

export function createPublicSide({ id, publicApi, supervision, statusFacts }: Config, log: Logger): PublicSide {
  const { host, port, workers: count, workerTimeoutMs, heartbeatMs, niceness, drainTimeoutSec, ...rest } = publicApi;
  // Each connection may need an open file besides its socket.
  const affordable = affordableConnections(0, 2);
  const maxConnections = connections(publicApi, affordable, log);
  const { startRetryMs: _, lameDuckSec: __, ...limits } = { ...rest, maxConnections };
  return createSupervisor({
    setup: {
      ...{ id, version, limits, statusFacts, affordableConnections: affordable },
      reportsRequests: log.isLevelEnabled('http'),
    },
    host,
    port,
    count,
    workerTimeoutMs,
    heartbeatMs,
    niceness,
    drainTimeoutMs: drainTimeoutSec * 1000,
    ...supervision,
    ...supervisionTimes,
    log,
  });
}

/**
 * The connection limit over all server processes.
 * @param each connections that one server process can afford; 0: any number
 */
function connections({ maxConnections, workers }: Config['publicApi'], each: number, log: Logger): number {
  const affordable = each * workers;
  if (each === 0 || (maxConnections > 0 && affordable >= maxConnections)) return maxConnections;
  const why = `the system allows a process ${openFileLimit()} open files (ulimit -n)`;
  if (maxConnections > 0) log.warn(`publicApi.maxConnections is ${affordable}, not ${maxConnections}: ${why}`);
  return affordable;
}
