// Finds in the index where the bytes of an object can be fetched.
import type { ObjectIndex } from '../store/object-index.ts';
import type { OriginOf } from './wanted-object.ts';

export const originIn =
  (index: Pick<ObjectIndex, 'bag' | 'mark'>): OriginOf =>
  (_, row) => {
    if (row === undefined) return null;
    if (row.url !== null) return { kind: 'url', url: row.url };
    const endpoints = index.mark('storageNodes') as Readonly<Record<string, string>> | undefined;
    const buckets = index.bag(row.bag)?.storageBuckets ?? [];
    const found = buckets.flatMap((bucket) => endpoints?.[bucket] ?? []);
    return found.length === 0 ? null : { kind: 'storage', endpoints: found };
  };
