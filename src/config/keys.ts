// Every key of the config file, one row each: schema, defaults, environment names and the reference follow from it.
import { availableParallelism, hostname } from 'node:os';

/** The TypeScript type of each key type. */
interface TypeMap {
  string: string;
  integer: number;
  boolean: boolean;
  /** Bytes; written as a number or as `500G` (units B K M G T, powers of 1024). */
  size: number;
  /** Absolute. */
  path: string;
  strings: readonly string[];
  /** Names or addresses, with or without a port. */
  hosts: readonly string[];
  /** A list of anything, for keys without effect. */
  list: readonly unknown[];
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'http', 'verbose', 'debug', 'trace', 'silly', 'off'] as const;
export type LogLevel = (typeof logLevels)[number];

const logFrequencies = ['yearly', 'monthly', 'daily', 'hourly'] as const;
export type LogFrequency = (typeof logFrequencies)[number];

export interface Key {
  readonly type: keyof TypeMap;
  /** Absent: the key can be unset. A function: the default is known only at start. */
  readonly default?: unknown;
  /** The default as text, where the value alone does not explain it. */
  readonly defaultWords?: string;
  readonly unit?: string;
  readonly about: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly oneOf?: readonly string[];
  /** Its value must never be printed. */
  readonly secret?: true;
  /** Accepted without effect, so that an existing config file can be used unchanged. */
  readonly unused?: true;
}

const port = { type: 'integer', minimum: 0, maximum: 65535 } as const;
const positive = { type: 'integer', minimum: 1, maximum: 2147483647 } as const;
const count = { type: 'integer', minimum: 0, maximum: 2147483647 } as const;
/** One day at most: sums of several durations must stay below 24 days, the longest timer. */
const duration = { ...positive, maximum: 86_400_000, unit: 'ms' } as const;
const retiredMs = { ...duration, unused: true } as const;
const retiredSize = { type: 'size', minimum: 1024, unused: true } as const;

export const keys = {
  id: {
    type: 'string',
    default: () => hostname() || 'distributor-node',
    defaultWords: 'the host name',
    about:
      'Name of this node, shown in `/status` and `state`. A token whose `aud` is this name is valid for this node only.',
  },
  catalogue: {
    type: 'path',
    defaultWords: 'the example catalogue; none where `endpoints.storageSquid` is given',
    about:
      'File that lists the objects: YAML, or NDJSON (`.ndjson`) for large ones. The files are in the same folder or below it.',
  },
  workerId: {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    defaultWords: 'unset; 0 with the example catalogue',
    about: "The operator's number in the directory. `set-worker` overrides it.",
  },
  buckets: {
    type: 'strings',
    minItems: 1,
    defaultWords: 'all buckets of the worker',
    about: 'Ids of the buckets to distribute, e.g. `["1:0"]`. `set-buckets` overrides it.',
  },
  'directories.state': {
    type: 'path',
    default: './local',
    defaultWords: '`directories.cacheState`, else `./local`',
    about:
      'Directory of the state file, the generated secret, the audit log and the index of objects. One node per directory.',
  },
  'directories.assets': {
    type: 'path',
    defaultWords: '`assets` in `directories.state`',
    about: 'Directory of the copies of objects that are fetched from elsewhere: the cache.',
  },
  'directories.cacheState': {
    type: 'path',
    about: 'State directory of the replaced node; used if `directories.state` is unset.',
  },
  'publicApi.host': { type: 'string', default: '0.0.0.0', about: 'Address the public API listens on.' },
  'publicApi.port': { ...port, default: 3334, about: 'Port of the public API; 0: any free port.' },
  'publicApi.workers': {
    type: 'integer',
    minimum: 1,
    maximum: 1024,
    default: () => availableParallelism(),
    defaultWords: 'one per core',
    about: 'Number of processes that serve the public API.',
  },
  'publicApi.lameDuckSec': {
    ...count,
    maximum: 86_400,
    default: 0,
    unit: 's',
    about:
      'For a node behind a load balancer: how long a stop keeps serving, with `/readyz` at 503, before it closes the port.',
  },
  'publicApi.drainTimeoutSec': {
    ...count,
    maximum: 86_400,
    default: 30,
    unit: 's',
    about: 'How long responses may continue after a stop; unfinished ones are then cut.',
  },
  'publicApi.workerTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'A server process that does not confirm a step within this time is killed and replaced.',
  },
  'publicApi.heartbeatMs': {
    ...duration,
    default: 1000,
    about: 'How often each server process is pinged; the reply carries its metrics.',
  },
  'publicApi.niceness': {
    type: 'integer',
    minimum: 0,
    maximum: 19,
    default: 10,
    about: 'Nice value of the server processes, so that the operator API is scheduled first.',
  },
  'publicApi.startRetryMs': {
    ...duration,
    minimum: 0,
    default: 5000,
    about: 'How long the node retries at start while another process holds the public port.',
  },
  'publicApi.headersTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'Deadline for the headers of a request.',
  },
  'publicApi.requestTimeoutMs': {
    ...duration,
    default: 30_000,
    about: 'Deadline for a whole request.',
  },
  'publicApi.keepAliveTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'How long an idle connection stays open.',
  },
  'publicApi.stallTimeoutMs': {
    ...duration,
    default: 120_000,
    about: 'A response is cut if the client reads nothing of it for this long.',
  },
  'publicApi.maxHeaderBytes': {
    type: 'size',
    minimum: 1024,
    default: 16_384,
    unit: 'bytes',
    about: 'Largest request head accepted.',
  },
  'publicApi.maxBodyBytes': {
    type: 'size',
    minimum: 0,
    default: 16_384,
    unit: 'bytes',
    about: 'Largest request body accepted. It is read and discarded: no public request needs a body.',
  },
  'publicApi.maxConnections': {
    ...count,
    default: 10_000,
    about:
      'Connections over all server processes; further ones are closed at once. 0: as many as the limit of open files allows.',
  },
  'publicApi.maxPipelinedRequests': {
    ...count,
    default: 100,
    about: 'Pipelined requests that may wait on one connection; a connection with more is closed.',
  },
  'publicApi.idleGraceMs': {
    ...count,
    maximum: 60_000,
    default: 1000,
    unit: 'ms',
    about: 'How long after a stop idle connections stay open.',
  },
  'publicApi.hotObjectsBytes': {
    type: 'size',
    minimum: 0,
    default: 67_108_864,
    unit: 'bytes',
    about: 'Memory of each server process for small objects that are requested often.',
  },
  'supervision.startTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'A server process that has not started within this time is killed and replaced.',
  },
  'content.timeoutMs': {
    ...duration,
    default: 10_000,
    about:
      'A content process that does not answer within this time, because a disk or the directory blocks it, is killed and replaced.',
  },
  'content.niceness': {
    type: 'integer',
    minimum: 0,
    maximum: 19,
    default: 15,
    about: 'Nice value of the content process, so that viewers and operators are scheduled first.',
  },
  'content.hashBytesPerSec': {
    type: 'size',
    minimum: 0,
    default: 209_715_200,
    unit: 'bytes per second',
    about: 'How fast files are read to hash them. 0: no limit.',
  },
  'store.maxIndexBytes': {
    type: 'size',
    minimum: 1_048_576,
    default: 8_589_934_592,
    unit: 'bytes',
    about:
      'Largest size of the rows of the index of objects: about 500 bytes per object, twice that during an import. The file on disk may reach twice this size.',
  },
  'sources.allowPrivateAddresses': {
    type: 'boolean',
    default: false,
    about:
      'Whether sources may have private, loopback or link-local addresses. Endpoints on the chain are untrusted: leave it off unless all are yours.',
  },
  'sources.stallTimeoutMs': {
    ...duration,
    default: 30_000,
    about: 'A source that sends nothing for this long has failed.',
  },
  'sources.avoidSec': {
    ...positive,
    maximum: 86_400,
    default: 300,
    unit: 's',
    about: 'How long a source that has misbehaved is avoided.',
  },
  'squid.pageBags': {
    ...positive,
    maximum: 1000,
    default: 100,
    about: 'Bags per query of a sync. Larger pages load the squid for longer at a time.',
  },
  'squid.pauseMs': {
    ...count,
    maximum: 60_000,
    default: 200,
    unit: 'ms',
    about: 'Pause between two queries of a sync.',
  },
  'squid.pageTimeoutMs': { ...duration, default: 60_000, about: 'Deadline for one query of a sync.' },
  'squid.syncEverySec': {
    ...positive,
    maximum: 86_400,
    default: 60,
    unit: 's',
    about: 'Pause between two syncs of the directory.',
  },
  'squid.lookUpPauseMs': {
    ...count,
    maximum: 60_000,
    default: 50,
    unit: 'ms',
    about:
      'Minimum pause between two queries for objects that are not in the index. One query asks for all waiting objects.',
  },
  'squid.maxWaitingLookUps': {
    ...positive,
    default: 1000,
    about: 'Objects that may wait for such a query; requests for further ones get a 503.',
  },
  'squid.maxCachedLookUps': {
    ...positive,
    default: 50_000,
    about: 'How many answers about single objects are cached, each for `limits.queryNodeCacheTTL`.',
  },
  'publicApi.lookUpTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'How long a request for an object that is not in the index waits for its look-up; then it gets a 503.',
  },
  'operatorApi.previewTimeoutMs': {
    ...duration,
    default: 2000,
    about: 'How long a dry run waits for the content process.',
  },
  'operatorApi.host': {
    type: 'string',
    default: '127.0.0.1',
    about: 'Address the operator API listens on. The replaced node listens on every address.',
  },
  'operatorApi.port': { ...port, default: 3335, about: 'Port of the operator API; 0: any free port.' },
  'operatorApi.hmacSecret': {
    type: 'string',
    secret: true,
    about: 'The secret that signs tokens: 32 bytes or more. Below 16 bytes the node refuses to start.',
  },
  'operatorApi.hmacSecretFile': {
    type: 'path',
    defaultWords: '`operator-secret` in `directories.state`, made on first start',
    about: 'File with the secret; one trailing newline is dropped. A file named here must exist.',
  },
  'operatorApi.allowedHosts': {
    type: 'hosts',
    default: [],
    about: 'Additional names that requests may have in `Host` and `Origin`.',
  },
  'operatorApi.accessTokens': {
    type: 'boolean',
    default: true,
    about: 'Whether access tokens, which are valid for many requests, are accepted.',
  },
  'operatorApi.maxBodyBytes': {
    type: 'size',
    minimum: 1024,
    default: 1_048_576,
    unit: 'bytes',
    about: 'Largest request body accepted.',
  },
  'operatorApi.maxHeaderBytes': {
    type: 'size',
    minimum: 8192,
    default: 524_288,
    unit: 'bytes',
    about: 'Largest request head accepted. A request token contains the body, which can list thousands of buckets.',
  },
  'operatorApi.headersTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'Deadline for the headers of a request.',
  },
  'operatorApi.requestTimeoutMs': {
    ...duration,
    default: 30_000,
    about: 'Deadline for a whole request.',
  },
  'operatorApi.bodyWaitMs': {
    ...duration,
    default: 1000,
    about: 'How long later commands wait for an earlier one whose body has not fully arrived.',
  },
  'operatorApi.keepAliveTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'How long an idle connection stays open.',
  },
  'operatorApi.maxConnections': {
    ...positive,
    default: 256,
    about:
      'Connections at a time. A further one closes the oldest that has no request under way or does not read its response.',
  },
  'operatorApi.maxUsedTokens': {
    ...positive,
    default: 100_000,
    about:
      'Used request tokens remembered. When full, expired ones are dropped; if none are expired, further tokens are refused.',
  },
  'operatorApi.maxEventReaders': {
    ...positive,
    default: 32,
    about: 'Clients of `/api/v1/events` at a time; further ones get a 503.',
  },
  'operatorApi.maxPreviewIds': {
    ...count,
    default: 100,
    about: 'Object ids in each list of the answer to a dry run.',
  },
  'stateFile.saveTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'Deadline for writing a change to disk; then the command fails.',
  },
  'stateFile.saveRetryMs': {
    ...duration,
    default: 5000,
    about: 'Pause before a failed write of the state file is retried.',
  },
  'auditLog.path': {
    type: 'path',
    defaultWords: '`audit.jsonl` in `directories.state`',
    about:
      'File with one JSON line for each command. Refusals (`audit-refusals.jsonl`) and rotated files are in the same folder.',
  },
  'auditLog.maxBytes': {
    type: 'size',
    minimum: 4096,
    default: 10_485_760,
    unit: 'bytes',
    about: 'Size at which an audit log is rotated. The log of refusals has the same limit.',
  },
  'auditLog.maxFiles': { ...positive, default: 10, about: 'Rotated audit logs kept, and as many of refusals.' },
  'auditLog.refusalsPerInterval': {
    ...count,
    default: 10,
    about:
      'Refusals of each status that get a line of their own in an interval; further ones are summed up in one line.',
  },
  'auditLog.intervalSec': {
    ...positive,
    maximum: 86_400,
    default: 10,
    unit: 's',
    about: 'Interval of `auditLog.refusalsPerInterval`.',
  },
  'auditLog.writeTimeoutMs': {
    ...duration,
    default: 1000,
    about: 'How long the answer to a command waits until its line is in the audit log.',
  },
  'logs.console.level': {
    type: 'string',
    oneOf: logLevels,
    default: 'info',
    about: 'Log level on stderr. `http` adds a line for each request.',
  },
  'logs.file.level': { type: 'string', oneOf: logLevels, default: 'info', about: 'Log level of the log files.' },
  'logs.file.path': {
    type: 'path',
    defaultWords: 'none: no log files',
    about: 'Folder of the log files; created if missing.',
  },
  'logs.file.maxFiles': {
    ...positive,
    default: 30,
    about: 'Log files kept, including the current one; the oldest are removed.',
  },
  'logs.file.maxSize': {
    type: 'size',
    minimum: 1024,
    default: 52_428_800,
    unit: 'bytes',
    about: 'Size at which a log file is rotated within its period.',
  },
  'logs.file.frequency': {
    type: 'string',
    oneOf: logFrequencies,
    default: 'daily',
    about: 'How often a new log file is started, by local time.',
  },
  'logs.file.archive': {
    type: 'boolean',
    default: false,
    about: 'Whether rotated log files are compressed (gzip).',
  },
  'logs.file.writeTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'A write to a log file that takes longer raises the condition `LogNotWritten`.',
  },
  'logs.file.retryMs': {
    ...duration,
    default: 2000,
    about: 'Pause before a failed write to a log file is retried.',
  },
  'logs.elastic.level': { type: 'string', unused: true, about: 'Log level for Elasticsearch.' },
  'logs.elastic.endpoint': { type: 'string', secret: true, unused: true, about: 'URL of Elasticsearch.' },
  'logs.elastic.indexPrefix': { type: 'string', unused: true, about: 'Prefix of its index names.' },
  'logs.elastic.auth.username': { type: 'string', unused: true, about: 'Its user.' },
  'logs.elastic.auth.password': { type: 'string', secret: true, unused: true, about: 'Its password.' },
  'intervals.checkCatalogueMs': {
    ...duration,
    default: 2000,
    about: 'How often the catalogue file is checked for changes.',
  },
  'intervals.checkStateDirectoryMs': {
    ...positive,
    default: 2000,
    unit: 'ms',
    about: 'How often the node checks that its state directory is still the same.',
  },
  'limits.readCatalogueMs': {
    ...duration,
    default: 60_000,
    about: 'How long the first start waits for the catalogue to be read; then the public API opens without it.',
  },
  'intervals.saveCacheState': { ...positive, unit: 's', unused: true, about: 'How often the index is written.' },
  'intervals.checkStorageNodeResponseTimes': {
    ...positive,
    maximum: 86_400,
    default: 60,
    unit: 's',
    about: 'How often the response times of storage nodes are measured; the fastest is asked first.',
  },
  'intervals.cacheCleanup': {
    ...positive,
    maximum: 86_400,
    default: 300,
    unit: 's',
    about: 'How often copies that the settings no longer cover are removed.',
  },
  'limits.storage': {
    type: 'size',
    minimum: 0,
    default: 21_474_836_480,
    unit: 'bytes',
    about: 'Space for copies. The least useful ones are removed when it is used up.',
  },
  'limits.maxCachedItemSize': {
    type: 'size',
    minimum: 0,
    default: 1_073_741_824,
    unit: 'bytes',
    about: 'Largest object that is kept; larger ones are passed through from their source.',
  },
  'limits.maxConcurrentStorageNodeDownloads': {
    ...positive,
    maximum: 1000,
    default: 50,
    about: 'Downloads at a time; further ones wait.',
  },
  'limits.maxConcurrentOutboundConnections': {
    ...positive,
    maximum: 10_000,
    default: 100,
    about: 'Outgoing connections at a time.',
  },
  'limits.outboundRequestsTimeoutMs': {
    ...duration,
    default: 5000,
    about:
      'Deadline for one query of single objects to the storage squid, and for the beginning of the answer of a source.',
  },
  'limits.yamlCatalogueBytes': {
    type: 'size',
    minimum: 1024,
    default: 67_108_864,
    unit: 'bytes',
    about: 'Largest YAML catalogue, since it is read into memory. A larger one must be NDJSON.',
  },
  'limits.pendingDownloadTimeoutSec': {
    ...positive,
    maximum: 86_400,
    default: 3600,
    unit: 's',
    about: 'Deadline for one download.',
  },
  'limits.dataObjectSourceByObjectIdTTL': {
    ...count,
    maximum: 86_400,
    default: 60,
    unit: 's',
    about: 'How long the storage node that had an object is asked for it first.',
  },
  'limits.queryNodeCacheTTL': {
    ...count,
    maximum: 86_400,
    default: 60,
    unit: 's',
    about: 'How long an answer about a single object is cached, including that it does not exist.',
  },
  'endpoints.storageSquid': {
    type: 'string',
    about:
      'GraphQL URL of the storage squid, the directory of the network; used if `catalogue` is unset. `/status` shows it, without user and password.',
  },
  'endpoints.joystreamNodeWs': { type: 'string', unused: true, about: 'URL of a chain node.' },
  keys: { type: 'list', secret: true, unused: true, about: 'Keys of the chain.' },
  // Keys of earlier versions, so that a config that has them still starts.
  'supervision.backoffMs': { ...retiredMs, about: 'Fixed: 100 ms.' },
  'supervision.maxBackoffMs': { ...retiredMs, about: 'Fixed: 30 s.' },
  'supervision.steadyMs': { ...retiredMs, about: 'Fixed: 10 s.' },
  'supervision.calmMs': { ...retiredMs, about: 'Fixed: 5 minutes.' },
  'supervision.rejoinMs': { ...retiredMs, about: 'Fixed: 1 s.' },
  'operatorApi.eventsBufferBytes': { ...retiredSize, about: 'Fixed: 1 MiB.' },
  'operatorApi.eventsBacklogBytes': { ...retiredSize, about: 'Fixed: 1 MiB.' },
  'operatorApi.eventsHeartbeatMs': { ...retiredMs, about: 'Fixed: 15 s.' },
} as const satisfies Record<string, Key>;

type Keys = typeof keys;
export type KeyName = keyof Keys;
export const keyNames = Object.keys(keys) as KeyName[];

/** The type of a key's value; with null if the key can be unset. */
export type ValueOf<K extends KeyName> =
  | (Keys[K] extends { readonly oneOf: readonly (infer Word)[] } ? Word : TypeMap[Keys[K]['type']])
  | (Keys[K] extends { readonly default: unknown } ? never : null);

type UsedName = { [K in KeyName]: Keys[K] extends { readonly unused: true } ? never : K }[KeyName];

/** The first words of the keys in use whose names begin with `P`. */
type WordAfter<P extends string, K extends string = UsedName> = K extends `${P}${infer Rest}`
  ? Rest extends `${infer Word}.${string}`
    ? Word
    : Rest
  : never;

/** The values of all keys in use whose names begin with `P`, nested as in a config file. */
export type Section<P extends string = ''> = {
  readonly [W in WordAfter<P>]: `${P}${W}` extends infer K extends KeyName ? ValueOf<K> : Section<`${P}${W}.`>;
};

/** `operatorApi.hmacSecret` → row; undefined if there is no such key. */
export const keyAt = (path: string): Key | undefined => (Object.hasOwn(keys, path) ? keys[path as KeyName] : undefined);

/** Every name that holds only other names: `operatorApi`, `logs.console`. */
export const sectionNames: readonly string[] = [
  ...new Set(
    keyNames.flatMap((name) => {
      const words = name.split('.');
      return words.slice(1).map((_, index) => words.slice(0, index + 1).join('.'));
    }),
  ),
];

/** `operatorApi.hmacSecretFile` → `OPERATOR_API__HMAC_SECRET_FILE`. */
export const envNameOf = (path: string): string =>
  path
    .split('.')
    .map((word) => word.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase())
    .join('__');
