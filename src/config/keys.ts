// Every key of the config file, one row each: schema, defaults, environment names and the reference follow from it.
import { availableParallelism, hostname } from 'node:os';

/** What a value of each type is once it has been read. */
interface TypeMap {
  string: string;
  integer: number;
  boolean: boolean;
  /** Bytes; written as a number or as `500G` (units B K M G T, powers of 1024). */
  size: number;
  /** Absolute. */
  path: string;
  strings: readonly string[];
  /** Names or addresses, perhaps with a port. */
  hosts: readonly string[];
  /** A list of anything, for keys that are taken but not used. */
  list: readonly unknown[];
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'http', 'verbose', 'debug', 'trace', 'silly', 'off'] as const;
export type LogLevel = (typeof logLevels)[number];

const logFrequencies = ['yearly', 'monthly', 'daily', 'hourly'] as const;
export type LogFrequency = (typeof logFrequencies)[number];

export interface Key {
  readonly type: keyof TypeMap;
  /** Left out: unset unless someone sets it. A function: known only at start. */
  readonly default?: unknown;
  /** The default in words, where the value alone does not say it. */
  readonly defaultWords?: string;
  readonly unit?: string;
  readonly about: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly oneOf?: readonly string[];
  /** Its value must never be printed. */
  readonly secret?: true;
  /** Taken so that an existing config file can be handed over unchanged; it changes nothing yet. */
  readonly unused?: true;
}

const port = { type: 'integer', minimum: 0, maximum: 65535 } as const;
const positive = { type: 'integer', minimum: 1, maximum: 2147483647 } as const;
const count = { type: 'integer', minimum: 0, maximum: 2147483647 } as const;
/** A day is the most: several of them are added up, and a timer waits for 24 days or, for any longer time, not at all. */
const duration = { ...positive, maximum: 86_400_000, unit: 'ms' } as const;
const retiredMs = { ...duration, unused: true } as const;
const retiredSize = { type: 'size', minimum: 1024, unused: true } as const;

export const keys = {
  id: {
    type: 'string',
    default: () => hostname() || 'distributor-node',
    defaultWords: 'the host name',
    about: 'Name of this node, shown in `/status` and `state`; a token for one node only has it as its `aud`.',
  },
  catalogue: {
    type: 'path',
    defaultWords: 'the example catalogue; none where `endpoints.storageSquid` is given',
    about: 'The directory as one YAML file beside the files it lists.',
  },
  workerId: {
    type: 'integer',
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    defaultWords: 'unset; 0 with the example catalogue',
    about: "The operator's number in the directory. A later `set-worker` goes before it.",
  },
  buckets: {
    type: 'strings',
    minItems: 1,
    defaultWords: 'all buckets of the worker',
    about: 'Ids of the buckets to distribute, e.g. `["1:0"]`. A later `set-buckets` goes before it.',
  },
  'directories.state': {
    type: 'path',
    default: './local',
    defaultWords: '`directories.cacheState`, else `./local`',
    about: 'Where the node keeps what commands have changed, and the secret it makes. One node per directory.',
  },
  'directories.assets': { type: 'path', unused: true, about: 'HotCache of data objects.' },
  'directories.cacheState': {
    type: 'path',
    about: 'Where the peer keeps its state, and its volumes are: taken where `directories.state` is unset.',
  },
  'publicApi.host': { type: 'string', default: '0.0.0.0', about: 'Address the public API listens on.' },
  'publicApi.port': { ...port, default: 3334, about: 'Port of the public API; 0: any free one.' },
  'publicApi.workers': {
    type: 'integer',
    minimum: 1,
    maximum: 1024,
    default: () => availableParallelism(),
    defaultWords: 'one per core',
    about: 'Processes that serve the public API.',
  },
  'publicApi.lameDuckSec': {
    ...count,
    maximum: 86_400,
    default: 0,
    unit: 's',
    about:
      'For a node behind a balancer: at a stop `/readyz` turns 503, and everything is still served for so long before the port closes.',
  },
  'publicApi.drainTimeoutSec': {
    ...count,
    maximum: 86_400,
    default: 30,
    unit: 's',
    about: 'How long responses under way may go on after a stop; what is left then is cut.',
  },
  'publicApi.workerTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'A public worker that has not confirmed a step by then is killed and replaced.',
  },
  'publicApi.heartbeatMs': {
    ...duration,
    default: 1000,
    about: 'How often each public worker is asked whether it still answers, and for its metrics.',
  },
  'publicApi.niceness': {
    type: 'integer',
    minimum: 0,
    maximum: 19,
    default: 10,
    about: 'How far the public workers stand back behind whatever else the machine does, the operator API above all.',
  },
  'publicApi.startRetryMs': {
    ...duration,
    minimum: 0,
    default: 5000,
    about: 'How long a start-up waits for a public port that another process still holds.',
  },
  'publicApi.headersTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'Time a client has to send the headers of a request.',
  },
  'publicApi.requestTimeoutMs': {
    ...duration,
    default: 30_000,
    about: 'Time a client has to send a whole request.',
  },
  'publicApi.keepAliveTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'How long an idle connection is kept for the next request.',
  },
  'publicApi.stallTimeoutMs': {
    ...duration,
    default: 120_000,
    about: 'An answer of which the client takes nothing for so long is cut.',
  },
  'publicApi.maxHeaderBytes': {
    type: 'size',
    minimum: 1024,
    default: 16_384,
    unit: 'bytes',
    about: 'Longest request head taken.',
  },
  'publicApi.maxBodyBytes': {
    type: 'size',
    minimum: 0,
    default: 16_384,
    unit: 'bytes',
    about: 'Longest request body that is read, and thrown away: no request here needs one.',
  },
  'publicApi.maxConnections': {
    ...count,
    default: 10_000,
    about: 'Connections over all workers; further ones are closed at once. 0: as many as open files allow.',
  },
  'publicApi.maxPipelinedRequests': {
    ...count,
    default: 100,
    about: 'Requests sent ahead on one connection, beside the one that is being answered; with more it is closed.',
  },
  'publicApi.idleGraceMs': {
    ...count,
    maximum: 60_000,
    default: 1000,
    unit: 'ms',
    about: 'After a stop, idle connections are left this long before they are closed.',
  },
  'publicApi.hotObjectsBytes': {
    type: 'size',
    minimum: 0,
    default: 67_108_864,
    unit: 'bytes',
    about: 'Memory each worker may use to keep small objects that are often asked for.',
  },
  'supervision.startTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'A public worker that has not come up by then is killed and replaced.',
  },
  'operatorApi.host': {
    type: 'string',
    default: '127.0.0.1',
    about: 'Address the operator API listens on. Loopback unless told otherwise, unlike the node this one replaces.',
  },
  'operatorApi.port': { ...port, default: 3335, about: 'Port of the operator API; 0: any free one.' },
  'operatorApi.hmacSecret': {
    type: 'string',
    secret: true,
    about: 'The secret that tokens are signed with. 32 bytes or more; under 16 the node refuses to start.',
  },
  'operatorApi.hmacSecretFile': {
    type: 'path',
    defaultWords: '`operator-secret` in `directories.state`, made on first start',
    about: 'File with the secret instead; one trailing newline is dropped. A file named here must exist.',
  },
  'operatorApi.allowedHosts': {
    type: 'hosts',
    default: [],
    about: 'Further names under which the operator API may be addressed (`Host`, `Origin`).',
  },
  'operatorApi.accessTokens': {
    type: 'boolean',
    default: true,
    about: 'Whether access tokens are taken, which are not bound to one request.',
  },
  'operatorApi.maxBodyBytes': {
    type: 'size',
    minimum: 1024,
    default: 1_048_576,
    unit: 'bytes',
    about: 'Longest request body taken.',
  },
  'operatorApi.maxHeaderBytes': {
    type: 'size',
    minimum: 8192,
    default: 524_288,
    unit: 'bytes',
    about: 'Longest request head taken. Request tokens carry the body, thousands of buckets included.',
  },
  'operatorApi.headersTimeoutMs': {
    ...duration,
    default: 10_000,
    about: 'Time a client has to send the headers of a request.',
  },
  'operatorApi.requestTimeoutMs': {
    ...duration,
    default: 30_000,
    about: 'Time a client has to send a whole request.',
  },
  'operatorApi.bodyWaitMs': {
    ...duration,
    default: 1000,
    about:
      'How long a command keeps its place in the order of arrival while its body is still on its way. Later commands wait no longer than that for it.',
  },
  'operatorApi.keepAliveTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'How long an idle connection is kept for the next request.',
  },
  'operatorApi.maxConnections': {
    ...positive,
    default: 256,
    about: 'Connections; for a further one the oldest that is owed no answer, or takes none, is closed.',
  },
  'operatorApi.maxUsedTokens': {
    ...positive,
    default: 100_000,
    about:
      'How many used request tokens are remembered; for want of room, those too old are forgotten, then further ones refused.',
  },
  'operatorApi.maxEventReaders': {
    ...positive,
    default: 32,
    about: 'Readers of `/api/v1/events` at a time; further ones are answered 503.',
  },
  'operatorApi.maxPreviewIds': {
    ...count,
    default: 100,
    about: 'How many of the objects that would be dropped, and gained, the answer to a dry run names.',
  },
  'stateFile.saveTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'A change that is not on disk by then has failed.',
  },
  'stateFile.saveRetryMs': {
    ...duration,
    default: 5000,
    about: 'Pause before a state that could not be written is tried again.',
  },
  'auditLog.path': {
    type: 'path',
    defaultWords: '`audit.jsonl` in `directories.state`',
    about:
      'File with one JSON line for each command. Refusals have one beside it (`audit-refusals.jsonl`); so have older lines.',
  },
  'auditLog.maxBytes': {
    type: 'size',
    minimum: 4096,
    default: 10_485_760,
    unit: 'bytes',
    about: 'Size at which an audit log is set aside and a new one begun; that of refusals has as much room for itself.',
  },
  'auditLog.maxFiles': { ...positive, default: 10, about: 'Older audit logs kept, and as many of refusals.' },
  'auditLog.refusalsPerInterval': {
    ...count,
    default: 10,
    about: 'Refusals of each status written one by one in an interval; further ones are summed up in one line.',
  },
  'auditLog.intervalSec': {
    ...positive,
    maximum: 86_400,
    default: 10,
    unit: 's',
    about: 'How long refusals are counted before they are summed up.',
  },
  'auditLog.writeTimeoutMs': {
    ...duration,
    default: 1000,
    about: 'How long the answer to a command waits for its line in the audit log.',
  },
  'logs.console.level': {
    type: 'string',
    oneOf: logLevels,
    default: 'info',
    about: 'How much is logged on stderr. `http`: every request as well.',
  },
  'logs.file.level': { type: 'string', oneOf: logLevels, default: 'info', about: 'How much is logged to files.' },
  'logs.file.path': {
    type: 'path',
    defaultWords: 'none: no log files',
    about: 'Folder of the log files, made where it is not there.',
  },
  'logs.file.maxFiles': {
    ...positive,
    default: 30,
    about: 'Log files kept, the one being written among them; the oldest are removed.',
  },
  'logs.file.maxSize': {
    type: 'size',
    minimum: 1024,
    default: 52_428_800,
    unit: 'bytes',
    about: 'A log file that would grow beyond this is followed by the next one of its period.',
  },
  'logs.file.frequency': {
    type: 'string',
    oneOf: logFrequencies,
    default: 'daily',
    about: 'How often a new log file is begun, by the local clock.',
  },
  'logs.file.archive': {
    type: 'boolean',
    default: false,
    about: 'Whether log files that are not written any more are compressed (gzip).',
  },
  'logs.file.writeTimeoutMs': {
    ...duration,
    default: 5000,
    about: 'A disk that has not taken log lines by then is reported (`LogNotWritten`).',
  },
  'logs.file.retryMs': {
    ...duration,
    default: 2000,
    about: 'Pause before log lines that could not be written are tried again.',
  },
  'logs.elastic.level': { type: 'string', unused: true, about: 'How much is sent to Elasticsearch.' },
  'logs.elastic.endpoint': { type: 'string', secret: true, unused: true, about: 'URL of Elasticsearch.' },
  'logs.elastic.indexPrefix': { type: 'string', unused: true, about: 'Beginning of the names of its indexes.' },
  'logs.elastic.auth.username': { type: 'string', unused: true, about: 'Its user.' },
  'logs.elastic.auth.password': { type: 'string', secret: true, unused: true, about: 'Its password.' },
  'intervals.checkCatalogueMs': {
    ...duration,
    default: 2000,
    about: 'How often the catalogue file is looked at for changes.',
  },
  'intervals.checkStateDirectoryMs': {
    ...positive,
    default: 2000,
    unit: 'ms',
    about: 'How often the state directory is looked at: one that was replaced is a condition.',
  },
  'limits.readCatalogueMs': {
    ...duration,
    default: 60_000,
    about: 'How long a start-up waits for the catalogue to be read; then the public API is opened without it.',
  },
  'intervals.saveCacheState': { ...positive, unit: 's', unused: true, about: 'How often the index is written.' },
  'intervals.checkStorageNodeResponseTimes': {
    ...positive,
    unit: 's',
    unused: true,
    about: 'How often storage nodes are timed.',
  },
  'intervals.cacheCleanup': { ...positive, unit: 's', unused: true, about: 'How often unassigned copies are removed.' },
  'limits.storage': {
    type: 'size',
    minimum: 0,
    unused: true,
    about: 'Space for copies. `/status` shows it.',
  },
  'limits.maxCachedItemSize': { type: 'size', minimum: 0, unused: true, about: 'Largest object that is kept.' },
  'limits.maxConcurrentStorageNodeDownloads': { ...positive, unused: true, about: 'Downloads at a time.' },
  'limits.maxConcurrentOutboundConnections': { ...positive, unused: true, about: 'Outgoing connections at a time.' },
  'limits.outboundRequestsTimeoutMs': { ...positive, unit: 'ms', unused: true, about: 'Time for an outgoing request.' },
  'limits.pendingDownloadTimeoutSec': { ...positive, unit: 's', unused: true, about: 'Time for one download.' },
  'limits.dataObjectSourceByObjectIdTTL': {
    ...count,
    unit: 's',
    unused: true,
    about: "How long an object's source is remembered.",
  },
  'limits.queryNodeCacheTTL': { ...count, unit: 's', unused: true, about: "How long the directory's answers are." },
  'endpoints.storageSquid': {
    type: 'string',
    unused: true,
    about: 'GraphQL URL of the storage squid. `/status` shows it, without user and password.',
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

/** The type of a key's value; with null where the key can be unset. */
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

/** `operatorApi.hmacSecret` → row; undefined where there is no such key. */
export const keyAt = (path: string): Key | undefined => (Object.hasOwn(keys, path) ? keys[path as KeyName] : undefined);

/** Every name that only holds others: `operatorApi`, `logs.console`. */
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
