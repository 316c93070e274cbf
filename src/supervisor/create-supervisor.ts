// Creates the public side and the content side of a node from its config.
import type { Settings } from '../../machines/settings.ts';
import { withoutUser } from '../base/http-url.ts';
import { affordableConnections, openFileLimit } from '../base/open-files.ts';
import { version } from '../base/version.ts';
import type { Config } from '../config/config.ts';
import type { CacheSetup, CatalogueSetup, DirectorySource, SourcesSetup, SquidSetup } from '../ipc/content-messages.ts';
import { lookUpSocketPath } from '../ipc/look-up-socket.ts';
import type { Logger } from '../log/log.ts';
import type { ContentSide } from './content-side.ts';
import { createContentSupervisor } from './content-supervisor.ts';
import type { PublicSide } from './public-side.ts';
import { supervisionTimes } from './supervision.ts';
import { createSupervisor } from './supervisor.ts';

export function createPublicSide(config: Config, log: Logger): PublicSide {
  const { id, publicApi, supervision, statusFacts, directories, sources } = config;
  const { host, port, workers: count, workerTimeoutMs, heartbeatMs, niceness, drainTimeoutSec, ...rest } = publicApi;
  // Each connection may need an open file besides its socket.
  const affordable = affordableConnections(0, 2);
  const maxConnections = connections(publicApi, affordable, log);
  const { startRetryMs: _, lameDuckSec: __, lookUpTimeoutMs, ...limits } = { ...rest, maxConnections };
  return createSupervisor({
    setup: {
      ...{ id, version, limits, statusFacts, affordableConnections: affordable },
      reportsRequests: log.isLevelEnabled('http'),
      stateDirectory: directories.state,
      indexSource: sourceOf(config),
      assetsDirectory: directories.assets,
      lookUpSocket: lookUpSocketPath(directories.state),
      lookUpTimeoutMs,
      passing: {
        allowPrivateAddresses: sources.allowPrivateAddresses,
        requestTimeoutMs: config.limits.outboundRequestsTimeoutMs,
        stallTimeoutMs: sources.stallTimeoutMs,
        // The content process has a share of the limit too.
        maxResponses: Math.ceil(config.limits.maxConcurrentOutboundConnections / (count + 1)),
      },
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

/** @param settings the effective settings at start */
export function createContentSide(config: Config, settings: Settings, log: Logger): ContentSide {
  const { content, store, directories, publicApi, operatorApi } = config;
  return createContentSupervisor({
    setup: {
      stateDirectory: directories.state,
      maxIndexBytes: store.maxIndexBytes,
      lookUpSocket: lookUpSocketPath(directories.state),
      source: sourceOf(config),
      directory: directorySetup(config),
      ...{ cache: cacheSetup(config), sources: sourcesSetup(config) },
      settings,
    },
    ...{ timeoutMs: content.timeoutMs, niceness: content.niceness, heartbeatMs: publicApi.heartbeatMs },
    // Without the operator API nothing asks for a preview.
    previewTimeoutMs: operatorApi?.previewTimeoutMs ?? 0,
    ...supervisionTimes,
    log,
  });
}

function sourceOf({ catalogue, endpoints }: Config): DirectorySource | null {
  if (catalogue !== null) return { kind: 'catalogue', name: catalogue };
  const url = endpoints.storageSquid;
  return url === null ? null : { kind: 'squid', name: withoutUser(url) };
}

const cacheSetup = ({ directories, limits, intervals, content }: Config): CacheSetup => ({
  directory: directories.assets,
  maxBytes: limits.storage,
  maxItemBytes: limits.maxCachedItemSize,
  maxDownloads: limits.maxConcurrentStorageNodeDownloads,
  deadlineMs: limits.pendingDownloadTimeoutSec * 1000,
  checkEveryMs: intervals.cacheCleanup * 1000,
  hashBytesPerSec: content.hashBytesPerSec,
});

const sourcesSetup = ({ sources, limits, intervals, publicApi }: Config): SourcesSetup => ({
  allowPrivateAddresses: sources.allowPrivateAddresses,
  requestTimeoutMs: limits.outboundRequestsTimeoutMs,
  stallTimeoutMs: sources.stallTimeoutMs,
  avoidMs: sources.avoidSec * 1000,
  checkResponseTimesMs: intervals.checkStorageNodeResponseTimes * 1000,
  // Each server process has a share of the limit too.
  maxConnections: Math.ceil(limits.maxConcurrentOutboundConnections / (publicApi.workers + 1)),
  rememberMs: limits.dataObjectSourceByObjectIdTTL * 1000,
});

function directorySetup({
  catalogue,
  endpoints,
  intervals,
  limits,
  content,
  squid,
}: Config): CatalogueSetup | SquidSetup | null {
  if (catalogue !== null) {
    return {
      kind: 'catalogue',
      file: catalogue,
      checkEveryMs: intervals.checkCatalogueMs,
      maxYamlBytes: limits.yamlCatalogueBytes,
      hashBytesPerSec: content.hashBytesPerSec,
    };
  }
  if (endpoints.storageSquid === null) return null;
  const { pageBags, pauseMs, pageTimeoutMs, syncEverySec, lookUpPauseMs, maxWaitingLookUps, maxCachedLookUps } = squid;
  return {
    kind: 'squid',
    url: endpoints.storageSquid,
    ...{ pageBags, pauseMs, pageTimeoutMs, lookUpPauseMs, maxWaitingLookUps, maxCachedLookUps },
    syncEveryMs: syncEverySec * 1000,
    lookUpTimeoutMs: limits.outboundRequestsTimeoutMs,
    cacheMs: limits.queryNodeCacheTTL * 1000,
  };
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
