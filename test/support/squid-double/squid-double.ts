// A squid in this process: real queries over HTTP, checked and carried out against a world, with faults on demand.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { buildSchema, execute, extendSchema, type GraphQLError, parse, validate } from 'graphql';
import { packageRoot } from '../../../src/base/version.ts';
import type { World, WorldBag, WorldBucket, WorldObject, WorldStorageBucket } from '../squid-world.ts';

/** What is sent instead of an answer. `hang`: nothing. */
export type Fault =
  | 'hang'
  | { readonly status: number; readonly type: string; readonly body: string | Buffer }
  | { readonly data: (data: Record<string, unknown>) => unknown };

export interface Asked {
  /** Name of the query; '' for one without a name. */
  readonly name: string;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly authorization: string | undefined;
}

export interface SquidDouble {
  readonly url: string;
  world: World;
  /** Null: the schema has no squidVersion, as without that extension. */
  version: string | null;
  /** For each query; undefined: none. */
  fault: ((asked: Asked) => Fault | undefined) | null;
  /** Called before a query is carried out. */
  onAsked: ((asked: Asked) => void) | null;
  readonly asked: Asked[];
  readonly inFlight: number;
  readonly mostInFlight: number;
  closeConnections(): void;
  stop(): Promise<void>;
}

const api = buildSchema(readFileSync(join(packageRoot, 'test', 'support', 'squid-double', 'api.graphql'), 'utf8'));
const withVersion = extendSchema(
  api,
  parse('extend type Query { squidVersion: SquidVersion } type SquidVersion { version: String }'),
);

export async function startSquidDouble(world: World): Promise<SquidDouble> {
  const server = createServer((request, response) => void answer(request, response));
  let inFlight = 0;
  let mostInFlight = 0;
  const double = {
    ...({ url: '', world, version: null, fault: null, onAsked: null, asked: [] } as Omit<
      SquidDouble,
      'stop' | 'closeConnections' | 'inFlight' | 'mostInFlight'
    >),
    get inFlight() {
      return inFlight;
    },
    get mostInFlight() {
      return mostInFlight;
    },
    closeConnections: () => server.closeAllConnections(),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    inFlight += 1;
    mostInFlight = Math.max(mostInFlight, inFlight);
    response.on('close', () => {
      inFlight -= 1;
    });
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const { query, variables } = JSON.parse(Buffer.concat(parts).toString()) as Asked;
    const name = /^query (\w+)/.exec(query)?.[1] ?? '';
    const asked = { name, query, variables, authorization: request.headers.authorization };
    double.asked.push(asked);
    double.onAsked?.(asked);
    const fault = double.fault?.(asked);
    if (fault === 'hang') return;
    if (fault && 'status' in fault) {
      response.writeHead(fault.status, { 'Content-Type': fault.type }).end(fault.body);
      return;
    }
    const { status, body } = carryOut(double.world, double.version, query, variables);
    const answered = fault ? { ...body, data: fault.data(body.data as Record<string, unknown>) } : body;
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answered));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The double has no port');
  return Object.assign(double, { url: `http://127.0.0.1:${address.port}/graphql` });
}

interface Answered {
  readonly status: number;
  readonly body: { readonly data?: unknown; readonly errors?: readonly unknown[] };
}

function carryOut(world: World, version: string | null, query: string, variables: Asked['variables']): Answered {
  const schema = version === null ? api : withVersion;
  const document = parse(query);
  const invalid = validate(schema, document);
  if (invalid.length > 0) return { status: 400, body: { errors: invalid.map(asEngine) } };
  const result = execute({ schema, document, variableValues: { ...variables }, rootValue: root(world, version) });
  if (result instanceof Promise) throw new Error('The double answers at once');
  const errors = result.errors ? { errors: result.errors.map(asEngine) } : {};
  // A list cannot be null: the whole answer is.
  return { status: 200, body: { data: result.data ?? null, ...errors } };
}

/** The engine adds a stack trace. */
const asEngine = (error: GraphQLError) => ({
  ...error.toJSON(),
  extensions: {
    code: 'INTERNAL',
    exception: { stacktrace: ['Error: x', '    at query (/squid/node_modules/engine.js:1:1)'] },
  },
});

/** The order of a database in English, which is not that of the bytes. */
const { compare } = new Intl.Collator('en-US');

interface ListArguments {
  readonly where?: {
    readonly id_gt?: string | null;
    readonly id_in?: readonly string[] | null;
    readonly operatorStatus?: { readonly isTypeOf_eq?: string } | null;
    readonly distributionBuckets_some?: { readonly distributionBucket: { readonly id_in: readonly string[] } };
  } | null;
  readonly orderBy?: readonly string[];
  readonly limit?: number;
}

/** Only what an argument gives is filtered; an `id_in` that is null or empty finds nothing. */
function listed<T>(
  members: Readonly<Record<string, T>>,
  { where, limit, orderBy }: ListArguments,
  view: (id: string, member: T) => unknown,
) {
  let found = Object.entries(members);
  if (where && 'id_gt' in where) found = found.filter(([id]) => compare(id, where.id_gt ?? '') > 0);
  if (where && 'id_in' in where) {
    const wanted = new Set(where.id_in ?? []);
    found = found.filter(([id]) => wanted.has(id));
  }
  // Without an order: any.
  found = orderBy ? found.sort(([a], [b]) => compare(a, b)) : found.reverse();
  return found.slice(0, limit ?? found.length).map(([id, member]) => view(id, member));
}

function root(world: World, version: string | null): object {
  const bucket = (id: string, { distributing, active, invited }: WorldBucket) => ({
    ...{ id, distributing },
    operators: ({ where }: { where?: { status_eq?: string } }) => [
      ...active.map((workerId) => ({ workerId })),
      ...(where?.status_eq === 'ACTIVE' ? [] : invited.map((workerId) => ({ workerId }))),
    ],
  });
  const bag = (id: string, found: WorldBag) => ({
    id,
    objects: () => Object.entries(found.objects).map(([key, one]) => object(key, one, id)),
    storageBuckets: () => found.storageBuckets.map((key) => ({ storageBucket: { id: key } })),
    distributionBuckets: () =>
      found.distributionBuckets.map((key) => {
        const joined = world.buckets[key];
        return { distributionBucket: joined ? bucket(key, joined) : null };
      }),
  });
  const object = (id: string, { accepted, size, hash, subtitle }: WorldObject, place: string) => ({
    ...{ id, isAccepted: accepted, size, ipfsHash: hash },
    type:
      subtitle === undefined
        ? null
        : { __typename: 'DataObjectTypeVideoSubtitle', subtitle: subtitle === null ? null : { mimeType: subtitle } },
    storageBag: () => {
      const found = world.bags[place];
      return found ? bag(place, found) : null;
    },
  });
  const objects = () =>
    Object.fromEntries(
      Object.entries(world.bags).flatMap(([place, { objects: members }]) =>
        Object.entries(members).map(([id, one]) => [id, { one, place }] as const),
      ),
    );
  return {
    squidStatus: () => ({ height: world.height }),
    squidVersion: () => ({ version }),
    distributionBuckets: (wanted: ListArguments) => listed(world.buckets, wanted, bucket),
    storageBuckets: (wanted: ListArguments) => {
      const status = wanted.where?.operatorStatus?.isTypeOf_eq;
      const has = (bucket: WorldStorageBucket) => !status || status === `StorageBucketOperatorStatus${bucket.status}`;
      const found = Object.entries(world.storageBuckets ?? {}).filter(([, one]) => has(one));
      return listed(Object.fromEntries(found), wanted, (id, { endpoint }) => ({
        ...{ id, operatorMetadata: endpoint === undefined ? null : { nodeEndpoint: endpoint } },
      }));
    },
    storageBags: (wanted: ListArguments) => {
      const buckets = wanted.where?.distributionBuckets_some?.distributionBucket.id_in;
      const isIn = ({ distributionBuckets }: WorldBag) =>
        !buckets || distributionBuckets.some((id) => buckets.includes(id));
      const bags = Object.fromEntries(Object.entries(world.bags).filter(([, found]) => isIn(found)));
      return listed(bags, wanted, bag);
    },
    storageDataObjects: (wanted: ListArguments) =>
      listed(objects(), wanted, (id, { one, place }) => object(id, one, place)),
  };
}
