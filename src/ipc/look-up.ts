// The port for look-ups of single objects that the index does not contain.
import type { DataObject } from '../../machines/answer.ts';

/** `undecided`: the directory cannot be asked now. */
export type LookUp =
  | {
      readonly result: 'found';
      readonly object: DataObject;
      /** The workers that actively distribute the buckets of the object. */
      readonly bucketWorkers: Readonly<Record<string, readonly number[]>>;
    }
  | { readonly result: 'unknown' }
  | { readonly result: 'undecided' };

/** Answers look-ups. */
export interface LookUps {
  /** Never rejects. */
  lookUp(objectId: string): Promise<LookUp>;
  /** The copy does not match the object's record: check it again. */
  reportBadCopy(objectId: string): void;
}

/** All that server processes ask of the content process. */
export interface ContentCalls extends LookUps {
  /**
   * A read of the index met damage.
   * @param indexId of the index that was read
   * @param message for an operator
   */
  reportDamage(indexId: string, message: string): void;
}
