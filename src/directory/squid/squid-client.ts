// The queries that the node sends to the squid: the same text for old and new engines, with every variable set.
import {
  bag,
  bucket,
  fields,
  height,
  listOf,
  OtherShape,
  type SquidBag,
  type SquidBucket,
  type SquidSingle,
  type SquidStorageNode,
  single,
  storageNode,
  version,
} from './squid-answers.ts';
import { type AskSquid, SquidFailure } from './squid-request.ts';

/** Largest answer for a page (about 130 bytes per object) and for single objects (about 600 bytes each). */
const maxPageBytes = 64 * 1024 * 1024;
const maxSmallBytes = 1024 * 1024;

const object = 'id isAccepted size ipfsHash type { ... on DataObjectTypeVideoSubtitle { subtitle { mimeType } } }';
const activeOperators = 'operators(where: { status_eq: ACTIVE }) { workerId }';
const wholeBag = `id
    objects { ${object} }
    storageBuckets { storageBucket { id } }
    distributionBuckets { distributionBucket { id } }`;

/** Pages continue after an id, in the order of the database; ids are never compared here. */
export const queries = {
  height: '{ squidStatus { height } }',
  version: '{ squidVersion { version } }',
  buckets: `query Buckets($after: String!, $limit: Int!) {
  distributionBuckets(where: { id_gt: $after }, orderBy: [id_ASC], limit: $limit) {
    id distributing ${activeOperators}
  }
}`,
  storageNodes: `query StorageNodes($after: String!, $limit: Int!) {
  storageBuckets(
    where: { id_gt: $after, operatorStatus: { isTypeOf_eq: "StorageBucketOperatorStatusActive" } }
    orderBy: [id_ASC]
    limit: $limit
  ) {
    id operatorMetadata { nodeEndpoint }
  }
}`,
  bags: `query Bags($buckets: [String!]!, $after: String!, $limit: Int!) {
  storageBags(
    where: { id_gt: $after, distributionBuckets_some: { distributionBucket: { id_in: $buckets } } }
    orderBy: [id_ASC]
    limit: $limit
  ) {
    ${wholeBag}
  }
}`,
  namedBags: `query NamedBags($buckets: [String!]!, $ids: [String!]!, $limit: Int!) {
  storageBags(
    where: { id_in: $ids, distributionBuckets_some: { distributionBucket: { id_in: $buckets } } }
    orderBy: [id_ASC]
    limit: $limit
  ) {
    ${wholeBag}
  }
}`,
  objects: `query Objects($ids: [String!]!, $limit: Int!) {
  storageDataObjects(where: { id_in: $ids }, orderBy: [id_ASC], limit: $limit) {
    ${object}
    storageBag { distributionBuckets { distributionBucket { id distributing ${activeOperators} } } }
  }
}`,
} as const;

export interface SquidClientOptions {
  readonly ask: AskSquid;
  readonly pageTimeoutMs: number;
  readonly lookUpTimeoutMs: number;
  /** Aborts every query. */
  readonly signal: AbortSignal;
}

/** Every method throws {SquidFailure}, or the reason of the signal. */
export class SquidClient {
  readonly #options: SquidClientOptions;

  constructor(options: SquidClientOptions) {
    this.#options = options;
  }

  /** The block up to which the squid has processed the chain; null: not reported. */
  height(): Promise<number | null> {
    return this.#unlessOtherSchema(queries.height, (data) => height(data.squidStatus));
  }

  /** Null: not reported. */
  version(): Promise<string | null> {
    return this.#unlessOtherSchema(queries.version, (data) => version(data.squidVersion));
  }

  buckets(after: string, limit: number): Promise<SquidBucket[]> {
    return this.#page(queries.buckets, { after, limit }, (data) =>
      listOf(bucket)(data.distributionBuckets, 'distributionBuckets'),
    );
  }

  /** Storage buckets with an active operator. */
  storageNodes(after: string, limit: number): Promise<SquidStorageNode[]> {
    return this.#page(queries.storageNodes, { after, limit }, (data) =>
      listOf(storageNode)(data.storageBuckets, 'storageBuckets'),
    );
  }

  /** Bags that are assigned to any of the buckets. */
  bags(buckets: readonly string[], after: string, limit: number): Promise<SquidBag[]> {
    return this.#page(queries.bags, { buckets, after, limit }, bagsIn);
  }

  /** Those of the named bags that are assigned to any of the buckets. */
  namedBags(buckets: readonly string[], ids: readonly string[]): Promise<SquidBag[]> {
    return this.#page(queries.namedBags, { buckets, ids, limit: ids.length }, bagsIn);
  }

  /** Those of the objects that exist. */
  objects(ids: readonly string[]): Promise<SquidSingle[]> {
    const limits = { timeoutMs: this.#options.lookUpTimeoutMs, maxBytes: maxSmallBytes };
    return this.#ask(queries.objects, { ids, limit: ids.length }, limits, (data) =>
      listOf(single)(data.storageDataObjects, 'storageDataObjects'),
    );
  }

  #page<T>(query: string, variables: Record<string, unknown>, read: Read<T>): Promise<T> {
    return this.#ask(query, variables, { timeoutMs: this.#options.pageTimeoutMs, maxBytes: maxPageBytes }, read);
  }

  /** For fields that an engine may lack. With an entirely different schema, the next query fails. */
  async #unlessOtherSchema<T>(query: string, read: Read<T>): Promise<T | null> {
    try {
      return await this.#ask(query, {}, { timeoutMs: this.#options.pageTimeoutMs, maxBytes: maxSmallBytes }, read);
    } catch (error) {
      if (error instanceof SquidFailure && error.reason === 'OtherSchema') return null;
      throw error;
    }
  }

  async #ask<T>(
    query: string,
    variables: Readonly<Record<string, unknown>>,
    limits: { readonly timeoutMs: number; readonly maxBytes: number },
    read: Read<T>,
  ): Promise<T> {
    const { ask, signal } = this.#options;
    const data = await ask({ query, variables, ...limits, signal });
    try {
      return read(fields(data, 'data'));
    } catch (error) {
      if (error instanceof OtherShape)
        throw new SquidFailure('BadAnswer', `The squid's answer is wrong: ${error.message}`);
      throw error;
    }
  }
}

type Read<T> = (data: Readonly<Record<string, unknown>>) => T;

const bagsIn: Read<SquidBag[]> = (data) => listOf(bag)(data.storageBags, 'storageBags');
