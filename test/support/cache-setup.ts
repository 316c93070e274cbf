// Parameters of a content process that fetches its objects.
import type { CacheSetup, SourcesSetup } from '../../src/ipc/content-messages.ts';

export const cacheSetup = (directory: string, more: Partial<CacheSetup> = {}): CacheSetup => ({
  ...{ directory, maxBytes: 2 ** 30, maxItemBytes: 2 ** 30, maxDownloads: 10, deadlineMs: 60_000 },
  ...{ checkEveryMs: 60_000, hashBytesPerSec: 0 },
  ...more,
});

/** For sources on this machine. */
export const sourcesSetup: SourcesSetup = {
  ...{ allowPrivateAddresses: true, requestTimeoutMs: 5000, stallTimeoutMs: 5000, avoidMs: 60_000 },
  ...{ checkResponseTimesMs: 60_000, maxConnections: 20, rememberMs: 60_000 },
};
