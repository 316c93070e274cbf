// The IPC protocol between the control process and the content process.
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import type { Condition } from '../base/condition.ts';

/** Which directory an index was built from. */
export interface DirectorySource {
  readonly kind: 'catalogue' | 'squid';
  /** Absolute path of the catalogue, or URL of the squid without user and password. */
  readonly name: string;
}

/** The fixed parameters of a content process; sent first. */
export interface ContentSetup {
  /** Absolute; the index is in it. */
  readonly stateDirectory: string;
  readonly maxIndexBytes: number;
  /** Path of the socket on which it answers look-ups. */
  readonly lookUpSocket: string;
  /** Identifies the directory: a different one gets a new index. Null: none is configured. */
  readonly source: DirectorySource | null;
  readonly directory: CatalogueSetup | SquidSetup | null;
  readonly cache: CacheSetup;
  readonly sources: SourcesSetup;
  readonly settings: Settings;
  /** Why the index must be rebuilt although it seems intact, in words for an operator; omitted: no rebuild. */
  readonly rebuildReason?: string;
}

/** Parameters of the cache. */
export interface CacheSetup {
  /** Absolute path; it need not exist yet. */
  readonly directory: string;
  /** Maximum total size of the copies, in bytes. */
  readonly maxBytes: number;
  /** Maximum size of a copy, in bytes; larger objects are passed through. */
  readonly maxItemBytes: number;
  /** Maximum number of concurrent downloads, and the deadline of each. */
  readonly maxDownloads: number;
  readonly deadlineMs: number;
  /** Pause between two rounds, and between a change of settings and the first removal. */
  readonly checkEveryMs: number;
  /** Bytes read per second to hash the files found; 0: no limit. */
  readonly hashBytesPerSec: number;
}

/** Parameters of requests to sources. */
export interface SourcesSetup {
  readonly allowPrivateAddresses: boolean;
  readonly requestTimeoutMs: number;
  readonly stallTimeoutMs: number;
  readonly avoidMs: number;
  readonly checkResponseTimesMs: number;
  readonly maxConnections: number;
  /** How long the storage node that had an object is tried first for it; 0: never. */
  readonly rememberMs: number;
}

export type DownloadStage = 'requested' | 'probing' | 'fetching' | 'verifying' | 'here' | 'failed';

export interface DownloadInProgress {
  readonly id: string;
  readonly stage: DownloadStage;
  /** Bytes of the object; null: not known yet. */
  readonly size: number | null;
  readonly received: number;
}

export interface CatalogueSetup {
  readonly kind: 'catalogue';
  /** Absolute path; the file need not exist yet. */
  readonly file: string;
  /** How often the catalogue and its files are checked for changes. */
  readonly checkEveryMs: number;
  /** Largest YAML catalogue; larger ones must be NDJSON. */
  readonly maxYamlBytes: number;
  /** Bytes read per second for hashing; 0: no limit. */
  readonly hashBytesPerSec: number;
}

export interface SquidSetup {
  readonly kind: 'squid';
  /** GraphQL URL, perhaps with user and password. */
  readonly url: string;
  /** Bags per query, and the pause between two queries. */
  readonly pageBags: number;
  readonly pauseMs: number;
  /** Deadline for the query of a page. */
  readonly pageTimeoutMs: number;
  /** Pause between two syncs. */
  readonly syncEveryMs: number;
  /** Deadline for a query of single objects, minimum pause between two of them, and how many objects may wait. */
  readonly lookUpTimeoutMs: number;
  readonly lookUpPauseMs: number;
  readonly maxWaitingLookUps: number;
  /** How long the answer to a look-up is cached, and how many are. */
  readonly cacheMs: number;
  readonly maxCachedLookUps: number;
}

/** Progress of an import or a sync. */
export interface DirectoryProgress {
  /** `reading`: an import or a sync is in progress. */
  readonly activity: 'reading' | 'hashing' | 'idle';
  /** Read so far by the import or sync in progress; null: none is. */
  readonly bagsRead: number | null;
  readonly objectsRead: number | null;
  /** Files still to be hashed. */
  readonly filesToHash: number;
  /** End of the last complete import or sync, ISO 8601; null: none yet. */
  readonly readAt: string | null;
  /** Squid only: the block up to which it has processed the chain, and its version; null: not known. */
  readonly height: number | null;
  readonly squidVersion: string | null;
}

/** Name of the note in the index that says how far the squid was when the directory was last read from it. */
export const squidMark = 'squid';

export interface SquidMark {
  /** Null: not known. */
  readonly height: number | null;
  readonly version: string | null;
}

/** Every order has a sequence number; the content process confirms it with the same number. */
export type ContentOrder = { readonly seq: number } & (
  | { readonly type: 'setup'; readonly setup: ContentSetup }
  /** These settings are effective. */
  | { readonly type: 'settings'; readonly settings: Settings }
  /** Which objects would a change of settings drop and gain? */
  | { readonly type: 'preview'; readonly before: Settings; readonly after: Settings; readonly maxIds: number }
  | { readonly type: 'ping' }
  /** Exit when all writes have ended. */
  | { readonly type: 'leave' }
);

/** The names in the directory, bounded: a full list would grow with the directory. */
export interface DirectoryNames {
  /** Buckets, each with the workers that actively distribute it. */
  readonly bucketWorkers: Readonly<Record<string, readonly number[]>>;
  /** False: there are more, or the directory has not been read completely. */
  readonly isComplete: boolean;
}

/** What the control process knows about the directory and the index. */
export interface ContentStatus {
  /** Null: there is no usable index. */
  readonly indexId: string | null;
  /** The directory has been read, or its first read has failed or is not worth waiting for. */
  readonly isSettled: boolean;
  readonly objects: number;
  readonly bags: number;
  /** When the directory was last read completely, ISO 8601; null: never. */
  readonly readAt: string | null;
  readonly progress: DirectoryProgress | null;
  /** Copies in the cache, and the sum of their sizes. */
  readonly copies: number;
  readonly copyBytes: number;
  /** Copies that the settings no longer cover: they are being removed. */
  readonly copiesToRemove: number;
  /** The number of all downloads in progress, and the first of them. */
  readonly downloadCount: number;
  readonly downloads: readonly DownloadInProgress[];
  readonly conditions: readonly Condition[];
}

export type ContentReport =
  /** The content process can receive messages now; earlier ones would be lost. */
  | { readonly type: 'hello' }
  | { readonly type: 'confirmed'; readonly seq: number; readonly change?: CoverageChange }
  | { readonly type: 'failed'; readonly seq: number; readonly code: string; readonly reason: string }
  /** Each replaces the previous one. */
  | { readonly type: 'status'; readonly status: ContentStatus }
  | { readonly type: 'names'; readonly names: DirectoryNames }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string };
