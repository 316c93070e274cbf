// The IPC protocol between the control process and the content process.
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';

/** The fixed parameters of a content process; sent first. */
export interface ContentSetup {
  /** Absolute; the index is in it. */
  readonly stateDirectory: string;
  readonly maxIndexBytes: number;
  /** Null: none is configured. */
  readonly directory: CatalogueSetup | SquidSetup | null;
  readonly settings: Settings;
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
