// The record of one object of a catalogue, and what follows from it: the data object, or why it is not served.
import type { DataObject } from '../../../machines/answer.ts';
import type { StatedObject } from './catalogue-schema.ts';
import type { Located } from './object-file.ts';

/** Type and hash of one state of a file; null: not yet determined. */
export interface WorkedOut {
  readonly type: string | null;
  readonly hash: string | null;
  /** Why the bytes could not be read. */
  readonly unreadable: string | null;
}

export const nothingYet: WorkedOut = { type: null, hash: null, unreadable: null };

export interface ObjectRecord {
  readonly stated: StatedObject;
  readonly located: Located;
  readonly workedOut: WorkedOut;
}

/** Why an object is not served. */
export interface ObjectFault {
  readonly kind: 'missing' | 'damaged';
  /** For a person, to be read after the file's name. */
  readonly message: string;
}

/** Null: the object can be served, as far as is known. */
export function faultOf({ stated, located, workedOut }: ObjectRecord): ObjectFault | null {
  if ('fault' in located)
    return { kind: located.fault === 'missing' ? 'missing' : 'damaged', message: located.message };
  if (stated.size !== undefined && stated.size !== located.found.size) {
    return { kind: 'damaged', message: `has ${located.found.size} bytes, not ${stated.size}` };
  }
  if (workedOut.unreadable !== null) return { kind: 'damaged', message: workedOut.unreadable };
  if (stated.hash !== undefined && workedOut.hash !== null && workedOut.hash !== stated.hash) {
    return { kind: 'damaged', message: `has the hash ${workedOut.hash}, not ${stated.hash}` };
  }
  return null;
}

export const lacksType = ({ stated, workedOut }: ObjectRecord): boolean =>
  stated.type === undefined && workedOut.type === null;

/** Whether type or hash are still to be determined from the file. */
export const lacksSomething = (record: ObjectRecord): boolean =>
  faultOf(record) === null && (lacksType(record) || record.workedOut.hash === null);

export function dataObject(record: ObjectRecord): DataObject {
  const { stated, located, workedOut } = record;
  const { id, buckets } = stated;
  const type = stated.type ?? workedOut.type;
  if ('fault' in located || faultOf(record) !== null) {
    return {
      ...{ id, path: null, size: stated.size ?? null, type, hash: stated.hash ?? null },
      ...{ verified: null, accepted: false, buckets },
    };
  }
  const { path, ...facts } = located.found;
  return {
    ...{ id, path, size: facts.size, type, hash: stated.hash ?? workedOut.hash },
    ...{ verified: workedOut.hash === null ? null : facts, accepted: true, buckets },
  };
}
