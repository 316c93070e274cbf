// What a sync stores in the index, so that a restart can continue it: its position, and the last complete sync.
import { createHash } from 'node:crypto';
import type { Settings } from '../../../machines/settings.ts';
import type { BucketRow, ObjectIndex } from '../../store/object-index.ts';

/** A sync in progress. */
export interface PassMark {
  readonly number: number;
  /** Identifies what is read: a different key means a different pass. */
  readonly key: string;
  /** Id of the last bag that was read; '' at the beginning. */
  readonly cursor: string;
  readonly bags: number;
  readonly objects: number;
  /** Objects missing from bags that were read, and all known objects of these bags. */
  readonly missing: number;
  readonly inLossyBags: number;
  /** The highest at which a sync has begun: a squid that is lower is behind. Null: not known. */
  readonly height: number | null;
}

/** The last complete sync. */
export interface LastMark {
  readonly number: number;
  readonly key: string;
  /** Ids of the buckets whose bags were read, sorted. */
  readonly needed: readonly string[];
  /** The squid's height at its beginning; null: not known. */
  readonly height: number | null;
  /** No block was processed during it, so it reflects exactly this height. */
  readonly isExact: boolean;
  /** ISO 8601. */
  readonly at: string;
}

/** A complete sync that lacked too many objects to be trusted without confirmation. */
export interface LossMark {
  readonly key: string;
}

/** Endpoints of storage nodes, by the id of the storage bucket: untrusted. */
export type StorageNodesMark = Readonly<Record<string, string>>;

const names = { pass: 'squid.pass', last: 'squid.last', loss: 'squid.loss', storageNodes: 'storageNodes' } as const;
interface Marks {
  readonly pass: PassMark;
  readonly last: LastMark;
  readonly loss: LossMark;
  readonly storageNodes: StorageNodesMark;
}

export const markName = (name: keyof Marks): string => names[name];

export const markOf = <N extends keyof Marks>(index: Pick<ObjectIndex, 'mark'>, name: N): Marks[N] | null =>
  (index.mark(names[name]) as Marks[N] | undefined) ?? null;

/** Ids of the buckets whose bags these settings need, sorted. */
export function neededBuckets(
  { buckets, workerId }: Settings,
  known: Iterable<readonly [id: string, bucket: Pick<BucketRow, 'workers'>]>,
): readonly string[] {
  const ofWorker = () => [...known].filter(([, { workers }]) => workerId !== null && workers.includes(workerId));
  return [...new Set(buckets ?? ofWorker().map(([id]) => id))].sort();
}

/** @param needed ids of the buckets whose bags are read, sorted */
export const keyOf = (needed: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(needed)).digest('hex');
