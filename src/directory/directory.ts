// The directory port: which objects exist, in which bags and buckets, and which worker holds which bucket.
//
// A driver runs in the content process. It writes what it knows to the index, and looks up single objects that are not there.
import type { Settings } from '../../machines/settings.ts';
import type { Condition } from '../base/condition.ts';
import type { DirectoryProgress } from '../ipc/content-messages.ts';
import type { LookUp } from '../ipc/look-up.ts';

export type { DirectoryProgress, LookUp };

export interface Directory {
  /** Starts to read. Problems become conditions. */
  start(): void;
  /** Ends all work. Resolves when all writes to the index have ended. */
  stop(): Promise<void>;
  /** Sets which objects are needed; called before `start` and at every change. */
  configure(settings: Settings): void;
  /** Ids of buckets that these settings need, and whose objects the last complete reading left out. */
  unread(settings: Settings): readonly string[];
  /** Never rejects. For objects that the index does not contain. */
  lookUp(objectId: string): Promise<LookUp>;
  /** The copy does not match the object's record: check it again. Unknown ids are ignored. */
  reportBadCopy(objectId: string): void;
  readonly conditions: readonly Condition[];
  readonly progress: DirectoryProgress;
  /** @param listener called when conditions or progress have changed; changes may be merged. @returns a function that unsubscribes */
  subscribe(listener: () => void): () => void;
}
