// The directory port: who knows which objects exist, in which buckets, and which worker holds which bucket.
import type { DataObject } from '../../machines/answer.ts';
import type { DatedCondition } from '../base/condition.ts';
import type { DirectoryChange, DirectorySnapshot } from '../ipc/messages.ts';

export type DirectoryListener = (change: DirectoryChange) => void;
export type ConditionsListener = (conditions: readonly DatedCondition[]) => void;

export interface DirectoryContents {
  readonly objects: Iterable<DataObject>;
  /** The workers that actively distribute a bucket. */
  readonly bucketWorkers: DirectorySnapshot['bucketWorkers'];
}

export interface Directory {
  /** Begin to look. Resolves, and never rejects, when the first look is done or has taken too long: all that is known by then has been told. */
  start(): Promise<void>;
  /** Tell nothing more. Resolves when everything is closed, or will not be; may be called at any time and again. */
  stop(): Promise<void>;
  /** It could not be stopped: a thread waits for a disk that hangs, which keeps this process from exiting. */
  readonly isStuck: boolean;
  /**
   * Be told of every change, in order. A listener that comes late is told all that is known before this returns.
   * Listeners must not throw.
   * @returns a function that ends it
   */
  subscribe(listener: DirectoryListener): () => void;
  /** What is wrong with the directory now. */
  readonly conditions: readonly DatedCondition[];
  /** Be told whenever `conditions` has become another list. */
  subscribeConditions(listener: ConditionsListener): () => void;
  /** Whether any object lies in this bucket or any worker holds it. */
  knows(bucketId: string): boolean;
  /** Ids of the buckets a worker actively distributes, in natural order; none before the first look. The same list until that changes. */
  bucketsOf(workerId: number): readonly string[];
  /** All that is known now. While someone goes through the objects, more may become known of them, but none come or go. */
  contents(): DirectoryContents;
  /** Whether this could be a bucket's id, by its syntax. */
  isBucketId(text: string): boolean;
  /** The file of an object was found to be another than it was said to be: look again. Unknown ids are ignored. */
  doubt(objectId: string): void;
}
