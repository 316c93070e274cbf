// The schema of a catalogue: its keys and their values.
import { isAbsolute, sep } from 'node:path';
import { isCatalogueBucketId } from '../../base/bucket-id.ts';
import { isContentHash } from '../../base/content-hash.ts';
import { compile, type SchemaError, type Validate } from '../../base/validate.ts';

/** An object as written in the catalogue; missing values are derived from its bytes. */
export type StatedObject = StatedFile | StatedUrl;

interface Stated {
  /** Decimal. */
  readonly id: string;
  readonly buckets: readonly string[];
  /** MIME type. */
  readonly type?: string;
  /** Bytes. */
  readonly size?: number;
  /** BLAKE3 multihash, base58btc. */
  readonly hash?: string;
}

export interface StatedFile extends Stated {
  /** Relative to the catalogue's folder, with forward slashes. */
  readonly file: string;
  readonly url?: undefined;
}

export interface StatedUrl extends Stated {
  /** Where its bytes are: http or https. */
  readonly url: string;
  readonly file?: undefined;
}

export interface StatedWorker {
  readonly id: number;
  readonly buckets: readonly string[];
}

/** The whole of a YAML catalogue. */
export interface Catalogue {
  readonly objects: readonly StatedObject[];
  readonly workers: readonly StatedWorker[];
}

/** RFC 9110 §8.3.1; no value can end a header line. */
const mediaType =
  /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\\p{Cc}]*"))*$/u;

/** Checks the name alone; links are resolved when the file is located. */
function isInnerPath(file: string): boolean {
  const parts = sep === '/' ? file.split('/') : file.split(/[/\\]/);
  return file !== '' && !file.includes('\0') && !isAbsolute(file) && !parts.includes('..');
}

const maxUrlLength = 4000;

/** Every reader of the catalogue or the index would see a password. */
function isSourceUrl(text: string): boolean {
  if (text.length > maxUrlLength || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}

/** Longest object id: the limit of the index. */
const maxIdDigits = 500;

export const isObjectId = (text: string): boolean => /^[0-9]+$/.test(text) && text.length <= maxIdDigits;

const buckets = { type: 'array', items: { type: 'string', format: 'bucket id' } } as const;
const workerId = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const object = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'object id: up to 500 digits' },
    file: { type: 'string', format: "path: relative, inside the catalogue's folder" },
    url: { type: 'string', format: 'URL: http or https, without user and password' },
    buckets,
    type: { type: 'string', format: 'media type, such as video/mp4' },
    size: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    hash: { type: 'string', format: 'content hash: a BLAKE3 multihash in base58btc' },
  },
  required: ['id', 'buckets'],
  additionalProperties: false,
} as const;

const worker = (idKey: 'id' | 'worker') =>
  ({
    type: 'object',
    properties: { [idKey]: workerId, buckets },
    required: [idKey, 'buckets'],
    additionalProperties: false,
  }) as const;

const catalogue = {
  type: 'object',
  properties: {
    objects: { type: 'array', items: object },
    workers: { type: 'array', items: worker('id') },
  },
  required: ['objects'],
  additionalProperties: false,
} as const;

/** The names of the formats appear in the messages: "must be a valid bucket id". */
const formats = {
  'bucket id': isCatalogueBucketId,
  'object id: up to 500 digits': isObjectId,
  "path: relative, inside the catalogue's folder": isInnerPath,
  'URL: http or https, without user and password': isSourceUrl,
  'media type, such as video/mp4': (text: string) => mediaType.test(text),
  'content hash: a BLAKE3 multihash in base58btc': isContentHash,
};

/** Replaces the message of the schema for a choice of keys, which is hard to understand. */
function placeFaults(value: unknown, path: string): SchemaError[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const count = ['file', 'url'].filter((key) => Object.hasOwn(value, key)).length;
  if (count === 1) return [];
  return [{ path, message: count === 0 ? 'must have a file or a url' : 'must have a file or a url, not both' }];
}

const catalogueFaultsOf = compile(catalogue, formats);
/** The errors of a whole catalogue. */
export const faultsOf: Validate = (value) => {
  const { objects } = (value ?? {}) as { readonly objects?: unknown };
  const listed: readonly unknown[] = Array.isArray(objects) ? objects : [];
  return [...catalogueFaultsOf(value), ...listed.flatMap((each, at) => placeFaults(each, `/objects/${at}`))];
};

const plainObjectFaultsOf = compile(object, formats);
/** The errors of one NDJSON line: an object, `{"id":…}`, or a worker, `{"worker":…}`. */
export const objectFaultsOf: Validate = (value) => [...plainObjectFaultsOf(value), ...placeFaults(value, '')];
export const workerFaultsOf = compile(worker('worker'), formats);
