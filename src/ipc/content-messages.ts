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
  /** Where it answers look-ups: path of a socket. */
  readonly lookUpSocket: string;
  /** The identity of the directory: another one gets another index. Null: none is configured. */
  readonly source: DirectorySource | null;
  readonly directory: CatalogueSetup | SquidSetup | null;
  readonly settings: Settings;
  /** Why the index must be rebuilt although nothing is found wrong with it, for an operator; left out: it need not. */
  readonly rebuildReason?: string;
}

export interface CatalogueSetup {
  readonly kind: 'catalogue';
  /** Absolute path; the file need not exist yet. */
  readonly file: string;
  /** How often the catalogue and its files are checked for changes. */
  readonly checkEveryMs: number;
  /** Largest YAML catalogue; larger ones must be NDJSON. */
  readonly maxYamlBytes: number;
  /** Bytes that are read per second to hash files; 0: no limit. */
  readonly hashBytesPerSec: number;
}

export interface SquidSetup {
  readonly kind: 'squid';
  /** GraphQL URL, perhaps with user and password. */
  readonly url: string;
  /** Bags per query, and the pause between two queries. */
  readonly pageBags: number;
  readonly pauseMs: number;
  /** Time limit of a query for a page. */
  readonly pageTimeoutMs: number;
  /** Pause between two syncs. */
  readonly syncEveryMs: number;
  /** Time limit of a look-up, minimum pause between two queries of look-ups, and how many objects may wait. */
  readonly lookUpTimeoutMs: number;
  readonly lookUpPauseMs: number;
  readonly maxWaitingLookUps: number;
  /** How long the answer of a look-up is cached, and how many are. */
  readonly cacheMs: number;
  readonly maxCachedLookUps: number;
}

/** How far the reading of a directory has come. */
export interface DirectoryProgress {
  /** `reading`: an import or a sync is in progress. */
  readonly activity: 'reading' | 'hashing' | 'idle';
  /** Done in this reading; null: no reading is in progress. */
  readonly bagsRead: number | null;
  readonly objectsRead: number | null;
  /** Files that are still to be hashed. */
  readonly filesToHash: number;
  /** End of the last complete reading, ISO 8601; null: none yet. */
  readonly readAt: string | null;
  /** Squid only: the block up to which it has processed the chain, and its version; null: not known. */
  readonly height: number | null;
  readonly squidVersion: string | null;
}

/** Every order has a sequence number; the content process confirms it with the same number. */
export type ContentOrder = { readonly seq: number } & (
  | { readonly type: 'setup'; readonly setup: ContentSetup }
  /** These settings are effective. */
  | { readonly type: 'settings'; readonly settings: Settings }
  /** Which objects would a change of settings drop and gain? */
  | { readonly type: 'preview'; readonly before: Settings; readonly after: Settings; readonly maxIds: number }
  | { readonly type: 'ping' }
  /** Exit: no work is left. */
  | { readonly type: 'leave' }
);

/** The names in the directory, bounded: a list of all would grow with the directory. */
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
  /** The directory has been read, its first reading has failed, or its first reading is not to be waited for. */
  readonly isSettled: boolean;
  readonly objects: number;
  readonly bags: number;
  /** When the directory was last read completely, ISO 8601; null: never. */
  readonly readAt: string | null;
  readonly progress: DirectoryProgress | null;
  readonly conditions: readonly Condition[];
}

export type ContentReport =
  /** The content process receives messages from now on; earlier ones would be lost. */
  | { readonly type: 'hello' }
  | { readonly type: 'confirmed'; readonly seq: number; readonly change?: CoverageChange }
  | { readonly type: 'failed'; readonly seq: number; readonly code: string; readonly reason: string }
  /** Each replaces the one before. */
  | { readonly type: 'status'; readonly status: ContentStatus }
  | { readonly type: 'names'; readonly names: DirectoryNames }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string };
