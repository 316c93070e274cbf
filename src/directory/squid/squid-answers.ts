// Validates the squid's answers: the shapes that the queries ask for, and values that the index accepts.
import mime from 'mime';

/** The answer does not have the shape that the query asks for. The message says where. */
export class OtherShape extends Error {
  override readonly name = 'OtherShape';
}

export interface SquidBucket {
  readonly id: string;
  readonly distributing: boolean;
  /** Ids of its active workers, ascending. */
  readonly workers: readonly number[];
}

export interface SquidObject {
  readonly id: string;
  readonly accepted: boolean;
  /** Bytes; null: beyond the safe integers. */
  readonly size: number | null;
  /** BLAKE3 multihash, base58btc; null: the squid has none in this form. */
  readonly hash: string | null;
  /** MIME type of a subtitle; null: not a subtitle, or not an accepted text type. */
  readonly type: string | null;
}

export interface SquidBag {
  readonly id: string;
  /** Ids, sorted. */
  readonly distributionBuckets: readonly string[];
  readonly storageBuckets: readonly string[];
  readonly objects: readonly SquidObject[];
}

/** A storage bucket whose operator is active. */
export interface SquidStorageNode {
  readonly id: string;
  /** As its operator has stated it on the chain: untrusted, perhaps malformed; null: none, or too long to be one. */
  readonly endpoint: string | null;
}

/** A single object, with its bag and the bag's buckets. */
export interface SquidSingle {
  readonly object: SquidObject;
  readonly buckets: readonly SquidBucket[];
}

type Check<T> = (value: unknown, where: string) => T;

function wrong(where: string, wanted: string): never {
  throw new OtherShape(`${where} is not ${wanted}`);
}

/** The fields of an object. */
export const fields: Check<Readonly<Record<string, unknown>>> = (value, where) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : wrong(where, 'an object');

export const listOf =
  <T>(check: Check<T>): Check<T[]> =>
  (value, where) =>
    Array.isArray(value) ? value.map((member) => check(member, where)) : wrong(where, 'a list');

const flag: Check<boolean> = (value, where) => (typeof value === 'boolean' ? value : wrong(where, 'true or false'));

/** An id that can be a key of the index, which takes up to 500 bytes. */
const id: Check<string> = (value, where) =>
  typeof value === 'string' && /^[\x21-\x7e]{1,500}$/.test(value) ? value : wrong(where, 'an id');

const objectId: Check<string> = (value, where) =>
  typeof value === 'string' && /^[0-9]{1,500}$/.test(value) ? value : wrong(where, 'a decimal id');

const workerId: Check<number> = (value, where) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : wrong(where, 'the id of a worker');

/** A BigInt is a string in JSON. */
const size: Check<number | null> = (value, where) => {
  if (typeof value !== 'string' || !/^[0-9]{1,100}$/.test(value)) return wrong(where, 'a size');
  return Number.isSafeInteger(Number(value)) ? Number(value) : null;
};

/** It becomes an ETag, so no other characters are accepted. */
const hash = (value: unknown): string | null =>
  typeof value === 'string' && /^[1-9A-HJ-NP-Za-km-z]{1,100}$/.test(value) ? value : null;

/** Types that a browser would execute on the origin of this node. */
const activeTypes = new Set(['text/html', 'text/javascript', 'text/ecmascript', 'text/xml', 'text/xsl']);

/** Every step of the path may be null if the subtitle does not exist. */
function subtitleType(type: unknown): string | null {
  const stated = (type as { subtitle?: { mimeType?: unknown } | null } | null | undefined)?.subtitle?.mimeType;
  if (typeof stated !== 'string' || !/^text\/[a-z0-9.+-]{1,100}$/.test(stated) || activeTypes.has(stated)) return null;
  return mime.getExtension(stated) === null ? null : stated;
}

const object: Check<SquidObject> = (value, where) => {
  const found = fields(value, where);
  return {
    id: objectId(found.id, `${where}.id`),
    accepted: flag(found.isAccepted, `${where}.isAccepted`),
    size: size(found.size, `${where}.size`),
    hash: hash(found.ipfsHash),
    type: subtitleType(found.type),
  };
};

/** The operators that are listed are active ones. */
export const bucket: Check<SquidBucket> = (value, where) => {
  const found = fields(value, where);
  const operator: Check<number> = (one, at) => workerId(fields(one, at).workerId, `${at}.workerId`);
  const workers = listOf(operator)(found.operators, `${where}.operators`);
  return {
    id: id(found.id, `${where}.id`),
    distributing: flag(found.distributing, `${where}.distributing`),
    workers: [...new Set(workers)].sort((a, b) => a - b),
  };
};

/** Join rows as the ids they join. */
const joined = (rows: unknown, name: string, where: string): string[] => {
  const ids = listOf((row, at) => id(fields(fields(row, at)[name], `${at}.${name}`).id, `${at}.${name}.id`))(
    rows,
    where,
  );
  return [...new Set(ids)].sort();
};

export const bag: Check<SquidBag> = (value, where) => {
  const found = fields(value, where);
  return {
    id: id(found.id, `${where}.id`),
    distributionBuckets: joined(found.distributionBuckets, 'distributionBucket', `${where}.distributionBuckets`),
    storageBuckets: joined(found.storageBuckets, 'storageBucket', `${where}.storageBuckets`),
    objects: listOf(object)(found.objects, `${where}.objects`),
  };
};

const maxEndpointLength = 1000;

export const storageNode: Check<SquidStorageNode> = (value, where) => {
  const found = fields(value, where);
  const endpoint = (found.operatorMetadata as { nodeEndpoint?: unknown } | null | undefined)?.nodeEndpoint;
  const isUsable = typeof endpoint === 'string' && endpoint !== '' && endpoint.length <= maxEndpointLength;
  return { id: id(found.id, `${where}.id`), endpoint: isUsable ? endpoint : null };
};

export const single: Check<SquidSingle> = (value, where) => {
  const place = `${where}.storageBag`;
  const rows = fields(fields(value, where).storageBag, place).distributionBuckets;
  const row: Check<SquidBucket> = (one, at) => bucket(fields(one, at).distributionBucket, `${at}.distributionBucket`);
  return { object: object(value, where), buckets: listOf(row)(rows, `${place}.distributionBuckets`) };
};

/** Null: the squid does not know it. */
export const height = (status: unknown): number | null => {
  const value = (status as { height?: unknown } | null | undefined)?.height;
  return Number.isSafeInteger(value) ? (value as number) : null;
};

export const version = (value: unknown): string | null => {
  const found = (value as { version?: unknown } | null | undefined)?.version;
  return typeof found === 'string' && /^[\x20-\x7e]{1,50}$/.test(found) ? found : null;
};
