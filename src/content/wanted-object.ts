// Whether an object should be fetched, and from where, according to the directory and the settings.
import { lstatSync } from 'node:fs';
import { type DataObject, sameFacts } from '../../machines/answer.ts';
import { coverage, type Settings } from '../../machines/settings.ts';
import type { LookUp } from '../ipc/look-up.ts';
import type { SourceObject } from '../sources/source.ts';
import { copyPath } from '../store/copy-path.ts';
import { isCopyOf } from '../store/data-object.ts';
import type { ObjectIndex, ObjectRow } from '../store/object-index.ts';

/** An object that may be fetched. */
export interface WantedObject {
  readonly source: SourceObject;
  /** From the directory; null: not stated. */
  readonly hash: string | null;
  readonly type: string | null;
}

/** `here`: there is a copy. `unavailable`: this node must not fetch it, or no origin is known. */
export type Wish = WantedObject | 'here' | 'unavailable' | 'undecided';

/** Where the bytes of an object without a file can be fetched; null: no origin is known. */
export type OriginOf = (id: string, row: ObjectRow | undefined) => SourceObject['origin'] | null;

export interface WishPorts {
  readonly index: Pick<ObjectIndex, 'refresh' | 'object' | 'bag' | 'bucket' | 'copy'>;
  readonly assets: string;
  readonly settings: () => Settings;
  readonly originOf: OriginOf;
  /** For objects that the index does not contain. Never rejects. */
  readonly lookUp: (id: string) => Promise<LookUp>;
  /** The file of a copy is missing, or differs from the indexed one. */
  readonly onBadCopy: (id: string) => void;
}

export async function wishFor(id: string, ports: WishPorts): Promise<Wish> {
  const { index, settings, assets } = ports;
  index.refresh();
  const row = index.object(id);
  if (row === undefined) return await lookedUp(id, ports);
  const copy = index.copy(id);
  const bag = index.bag(row.bag);
  const covers = coverage(settings(), (bucket) => index.bucket(bucket)?.workers ?? []);
  if (!row.accepted || row.file !== null || bag === undefined || !covers(bag.distributionBuckets)) return 'unavailable';
  if (copy !== undefined && isCopyOf(row, copy)) {
    const file = lstatSync(copyPath(assets, id), { throwIfNoEntry: false });
    if (file?.isFile() && sameFacts(file, copy)) return 'here';
    ports.onBadCopy(id);
  }
  return wanted(id, row, ports.originOf(id, row));
}

async function lookedUp(id: string, { index, settings, lookUp, originOf }: WishPorts): Promise<Wish> {
  const found = await lookUp(id);
  if (found.result === 'undecided') return 'undecided';
  if (found.result === 'unknown') return 'unavailable';
  const { object, bucketWorkers } = found;
  const covers = coverage(settings(), (bucket) => bucketWorkers[bucket] ?? index.bucket(bucket)?.workers ?? []);
  if (!object.accepted || !covers(object.buckets)) return 'unavailable';
  if (object.path !== null) return object.isCopy ? 'here' : 'unavailable';
  return wanted(id, object, originOf(id, undefined));
}

type Stated = Pick<DataObject, 'size' | 'hash' | 'type'>;

const wanted = (id: string, { size, hash, type }: Stated, origin: SourceObject['origin'] | null): Wish =>
  origin === null ? 'unavailable' : { source: { id, size, origin }, hash, type };
