// Messages between the catalogue thread and the main thread of the control process.
import type { DataObject } from '../../../machines/answer.ts';
import type { Condition } from '../../base/condition.ts';
import type { DirectorySnapshot } from '../../ipc/messages.ts';

export interface CatalogueThreadData {
  /** Absolute path of the catalogue. */
  readonly file: string;
  readonly stateDirectory: string;
  readonly checkEveryMs: number;
}

/** Notices with objects are large: the thread sends the next one only on request. */
export type ObjectsNotice =
  /** A batch of a new directory; the first one discards an unfinished one. */
  | { readonly type: 'part'; readonly first: boolean; readonly objects: readonly DataObject[] }
  /** All batches have been sent. */
  | { readonly type: 'whole'; readonly bucketWorkers: DirectorySnapshot['bucketWorkers'] }
  | { readonly type: 'updated'; readonly objects: readonly DataObject[] };

export type ThreadNotice =
  | ObjectsNotice
  | { readonly type: 'conditions'; readonly conditions: readonly Condition[] }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string };

export type ThreadOrder =
  /** The last notice with objects has been processed. */
  { readonly type: 'next' } | { readonly type: 'doubt'; readonly objectId: string } | { readonly type: 'stop' };
