// What the thread that reads the catalogue and the control process's main thread say to each other.
import type { DataObject } from '../../../machines/answer.ts';
import type { Condition } from '../../base/condition.ts';
import type { DirectorySnapshot } from '../../ipc/messages.ts';

export interface CatalogueThreadData {
  /** Absolute path of the catalogue. */
  readonly file: string;
  readonly stateDirectory: string;
  readonly checkEveryMs: number;
}

/** Those with objects in them are large: the thread sends the next one only when it has been asked for. */
export type ObjectsNotice =
  /** A piece of a new directory; the first one begins it anew. */
  | { readonly type: 'part'; readonly first: boolean; readonly objects: readonly DataObject[] }
  /** All pieces have been sent. */
  | { readonly type: 'whole'; readonly bucketWorkers: DirectorySnapshot['bucketWorkers'] }
  | { readonly type: 'updated'; readonly objects: readonly DataObject[] };

export type ThreadNotice =
  | ObjectsNotice
  | { readonly type: 'conditions'; readonly conditions: readonly Condition[] }
  | { readonly type: 'log'; readonly level: 'info' | 'warn'; readonly message: string };

export type ThreadOrder =
  /** The last of the large notices has been taken in. */
  { readonly type: 'next' } | { readonly type: 'doubt'; readonly objectId: string } | { readonly type: 'stop' };
