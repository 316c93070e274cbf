// The directory port: which objects exist, in which buckets, and which worker holds which bucket.
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
  /** Starts to read. Resolves after the first read or its timeout, once subscribers have everything known by then; never rejects. */
  start(): Promise<void>;
  /** Ends all notifications. Resolves when everything is closed, or has failed to close in time. May be called at any time, repeatedly. */
  stop(): Promise<void>;
  /** It could not be stopped: a thread waits for a hung disk and keeps this process from exiting. */
  readonly isStuck: boolean;
  /**
   * Subscribes to every change, in order. A late listener receives the current contents before this returns.
   * Listeners must not throw.
   * @returns a function that unsubscribes
   */
  subscribe(listener: DirectoryListener): () => void;
  /** The current conditions of the directory. */
  readonly conditions: readonly DatedCondition[];
  /** Subscribes to changes of `conditions`. */
  subscribeConditions(listener: ConditionsListener): () => void;
  /** Whether an object lies in this bucket or a worker holds it. */
  knows(bucketId: string): boolean;
  /** Ids of the buckets a worker actively distributes, in natural order; none before the first read. The same list until it changes. */
  bucketsOf(workerId: number): readonly string[];
  /** The current contents. During iteration objects may be updated, but none is added or removed. */
  contents(): DirectoryContents;
  /** Whether the text has the syntax of a bucket id. */
  isBucketId(text: string): boolean;
  /** Reports a bad copy: the object's file does not match its record, and is read again. Unknown ids are ignored. */
  doubt(objectId: string): void;
}
