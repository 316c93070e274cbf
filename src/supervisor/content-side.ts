// The interface between the control process and the content process; implemented by its supervisor and by a twin in memory.
import type { CoverageChange } from '../../machines/coverage-change.ts';
import type { Settings } from '../../machines/settings.ts';
import type { DatedCondition } from '../base/condition.ts';
import type { ContentStatus } from '../ipc/content-messages.ts';
import type { CrashReport } from './public-side.ts';

export type ContentSideEvent =
  /** Status, names or conditions have changed. */
  | { readonly type: 'changed' }
  /** The content process died unexpectedly. */
  | { readonly type: 'crash'; readonly report: CrashReport };

/** No method waits for the content process, except where it says so. */
export interface ContentSide {
  /** Starts the content process. */
  start(): void;
  /** Resolves when the directory has been read, or is not worth waiting for. */
  readonly settled: Promise<void>;
  /** The settings whose objects the directory should know. */
  configure(settings: Settings): void;
  /**
   * The objects that a change of settings would drop and gain.
   * @throws {Error} with a reason for the operator if the content process does not answer in time
   */
  preview(before: Settings, after: Settings, maxIds: number): Promise<CoverageChange>;
  /** As of its last report, also of a process that has died; null: none has reported yet. */
  readonly status: ContentStatus | null;
  /** Whether an object lies in this bucket or a worker holds it; null: not known. */
  knows(bucketId: string): boolean | null;
  /** Ids of the buckets that a worker actively distributes, in natural order; null: not known. */
  bucketsOf(workerId: number): readonly string[] | null;
  readonly conditions: readonly DatedCondition[];
  /** Null while no process runs. */
  readonly pid: number | null;
  /** @returns a function that unsubscribes */
  subscribe(listener: (event: ContentSideEvent) => void): () => void;
  /** Lets the content process exit. Resolves when it has, or cannot. */
  end(): Promise<void>;
  /**
   * Replaces the content process by one that rebuilds the index.
   * @param reason for the operator
   */
  rebuildIndex(reason: string): void;
  /** Kills it at once; another one is started. */
  kill(): void;
}
