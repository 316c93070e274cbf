// The config of a node: one frozen object, made at start from file, environment and defaults.
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { packageRoot } from '../base/version.ts';
import type { PublicLimits, StatusFacts } from '../ipc/messages.ts';
import { configPaths, readConfigFile } from './config-file.ts';
import { keyNames, keys, type LogFrequency, type LogLevel } from './keys.ts';
import { readValues, type Values } from './values.ts';

/** All paths absolute, all sizes in bytes, every duration with its unit in its name. */
export interface Config {
  /** Where it came from, later files on top of earlier ones; none: built-in defaults. */
  readonly files: readonly string[];
  /** Keys that were given but change nothing yet, and variables that name no key, to be named once at start. */
  readonly ignored: readonly string[];
  readonly id: string;
  /** YAML catalogue; null: the node knows no objects. */
  readonly catalogue: string | null;
  readonly directories: { readonly state: string };
  readonly logs: {
    readonly console: { readonly level: LogLevel };
    /** Null: no log files. */
    readonly file: {
      readonly level: LogLevel;
      readonly path: string;
      readonly maxFiles: number;
      readonly maxSize: number;
      readonly frequency: LogFrequency;
      readonly archive: boolean;
      readonly writeTimeoutMs: number;
      readonly retryMs: number;
    } | null;
  };
  readonly intervals: { readonly checkCatalogueMs: number; readonly checkStateDirectoryMs: number };
  readonly limits: { readonly readCatalogueMs: number };
  readonly publicApi: PublicLimits & {
    readonly host: string;
    readonly port: number;
    readonly workers: number;
    readonly lameDuckSec: number;
    readonly drainTimeoutSec: number;
    readonly workerTimeoutMs: number;
    readonly heartbeatMs: number;
    readonly niceness: number;
    readonly startRetryMs: number;
  };
  readonly supervision: {
    readonly startTimeoutMs: number;
    readonly backoffMs: number;
    readonly maxBackoffMs: number;
    readonly steadyMs: number;
    readonly calmMs: number;
    readonly rejoinMs: number;
  };
  /** Null: no operator API. */
  readonly operatorApi: {
    readonly host: string;
    readonly port: number;
    /** In the file itself; else `hmacSecretFile` is read (and made, where it is the default one). Never printed. */
    readonly hmacSecret: string | null;
    readonly hmacSecretFile: string;
    /** Whether that file is made where it is not there: only the default one is. */
    readonly makesSecretFile: boolean;
    readonly allowedHosts: readonly string[];
    readonly maxBodyBytes: number;
    readonly maxHeaderBytes: number;
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    /** How long a command keeps its place in the order of arrival while its body is still on its way. */
    readonly bodyWaitMs: number;
    readonly keepAliveTimeoutMs: number;
    readonly maxConnections: number;
    /** Whether tokens that are not bound to one request are taken. */
    readonly accessTokens: boolean;
    /** How many used request tokens are remembered; when full, further ones are refused. */
    readonly maxUsedTokens: number;
    readonly maxEventReaders: number;
    readonly eventsBufferBytes: number;
    readonly eventsBacklogBytes: number;
    readonly eventsHeartbeatMs: number;
    /** How many object ids each list in the answer to a dry run may have. */
    readonly maxPreviewIds: number;
  } | null;
  readonly stateFile: { readonly saveTimeoutMs: number; readonly saveRetryMs: number };
  readonly auditLog: {
    readonly path: string;
    readonly maxBytes: number;
    readonly maxFiles: number;
    readonly refusalsPerInterval: number;
    readonly intervalSec: number;
    readonly writeTimeoutMs: number;
  };
  readonly statusFacts: StatusFacts;
  readonly workerId: number | null;
  readonly buckets: readonly string[] | null;
}

export interface ConfigSource {
  /** `--config`; none: `DISTRIBUTOR_CONFIG`, else `CONFIG_PATH`, else `./config.yml` if there, else the defaults. */
  readonly paths?: readonly string[] | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/**
 * The config, deep-frozen. Reads the files, and touches nothing else.
 * @throws {InputError} naming every wrong key with its line or variable; secrets are never in it
 */
export function loadConfig({ paths = [], env, cwd }: ConfigSource): Config {
  const files = configPaths(paths, env, cwd).map(readConfigFile);
  const values = readValues(files, env, cwd);
  const { get } = values;
  const usesExample = !values.has('catalogue') && !values.has('endpoints.storageSquid');
  const peerState = values.has('directories.state') ? null : get('directories.cacheState');
  const state = peerState ?? get('directories.state');

  return frozen({
    files: files.map(({ path }) => path),
    ignored: [...keyNames.filter((name) => 'unused' in keys[name] && values.has(name)), ...values.ignoredVariables],
    id: get('id'),
    catalogue: usesExample ? join(packageRoot, 'examples', 'catalogue.yml') : get('catalogue'),
    directories: { state },
    logs: { console: { level: consoleLevel(values) }, file: logFile(values) },
    intervals: {
      checkCatalogueMs: get('intervals.checkCatalogueMs'),
      checkStateDirectoryMs: get('intervals.checkStateDirectoryMs'),
    },
    limits: { readCatalogueMs: get('limits.readCatalogueMs') },
    publicApi: {
      host: get('publicApi.host'),
      port: get('publicApi.port'),
      workers: get('publicApi.workers'),
      lameDuckSec: get('publicApi.lameDuckSec'),
      drainTimeoutSec: get('publicApi.drainTimeoutSec'),
      workerTimeoutMs: get('publicApi.workerTimeoutMs'),
      heartbeatMs: get('publicApi.heartbeatMs'),
      niceness: get('publicApi.niceness'),
      startRetryMs: get('publicApi.startRetryMs'),
      headersTimeoutMs: get('publicApi.headersTimeoutMs'),
      requestTimeoutMs: get('publicApi.requestTimeoutMs'),
      keepAliveTimeoutMs: get('publicApi.keepAliveTimeoutMs'),
      stallTimeoutMs: get('publicApi.stallTimeoutMs'),
      maxHeaderBytes: get('publicApi.maxHeaderBytes'),
      maxBodyBytes: get('publicApi.maxBodyBytes'),
      maxConnections: get('publicApi.maxConnections'),
      maxPipelinedRequests: get('publicApi.maxPipelinedRequests'),
      idleGraceMs: get('publicApi.idleGraceMs'),
      hotObjectsBytes: get('publicApi.hotObjectsBytes'),
    },
    supervision: {
      startTimeoutMs: get('supervision.startTimeoutMs'),
      backoffMs: get('supervision.backoffMs'),
      maxBackoffMs: get('supervision.maxBackoffMs'),
      steadyMs: get('supervision.steadyMs'),
      calmMs: get('supervision.calmMs'),
      rejoinMs: get('supervision.rejoinMs'),
    },
    operatorApi: hasOperatorApi(values, files.length > 0) ? operatorApi(values, state) : null,
    stateFile: { saveTimeoutMs: get('stateFile.saveTimeoutMs'), saveRetryMs: get('stateFile.saveRetryMs') },
    auditLog: {
      path: get('auditLog.path') ?? join(state, 'audit.jsonl'),
      maxBytes: get('auditLog.maxBytes'),
      maxFiles: get('auditLog.maxFiles'),
      refusalsPerInterval: get('auditLog.refusalsPerInterval'),
      intervalSec: get('auditLog.intervalSec'),
      writeTimeoutMs: get('auditLog.writeTimeoutMs'),
    },
    statusFacts: statusFacts(values, env),
    workerId: get('workerId') ?? (usesExample ? 0 : null),
    buckets: get('buckets'),
  });
}

const statusFacts = ({ get }: Values, { NODE_ENV: nodeEnv }: NodeJS.ProcessEnv): StatusFacts => ({
  storageLimit: get('limits.storage') ?? 0,
  queryNodeUrl: withoutUser(get('endpoints.storageSquid') ?? ''),
  ...(nodeEnv !== undefined && { nodeEnv }),
});

/** Every viewer may read `/status`. What is no URL may hide a password anywhere. */
function withoutUser(text: string): string {
  if (!URL.canParse(text)) return '';
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}

/** Without the section the peer has no console log; here it has to be switched off by name. */
const consoleLevel = ({ get, has, unset }: Values): LogLevel =>
  unset('logs.console') && !has('logs.console.level') ? 'off' : get('logs.console.level');

function logFile({ get, has }: Values): Config['logs']['file'] {
  const path = get('logs.file.path');
  const level = get('logs.file.level');
  if (level === 'off') return null;
  if (path === null) {
    if (has('logs.file')) throw new InputError('logs.file.path must say in which folder the log files are to be');
    return null;
  }
  return {
    level,
    path,
    maxFiles: get('logs.file.maxFiles'),
    maxSize: get('logs.file.maxSize'),
    frequency: get('logs.file.frequency'),
    archive: get('logs.file.archive'),
    writeTimeoutMs: get('logs.file.writeTimeoutMs'),
    retryMs: get('logs.file.retryMs'),
  };
}

/** Files without the section mean a node without the API, as with the peer; without a file there is one. */
const hasOperatorApi = ({ has, unset }: Values, hasFile: boolean): boolean =>
  has('operatorApi') || (!hasFile && !unset('operatorApi'));

function operatorApi({ get, has, rank }: Values, state: string): Config['operatorApi'] {
  const secretKeys = ['operatorApi.hmacSecret', 'operatorApi.hmacSecretFile'] as const;
  // What goes before the other does so here too, even where the two name different keys.
  const [secret, secretFile] = secretKeys.map((key, index) => {
    const other = secretKeys[1 - index] ?? key;
    return has(key) && (!has(other) || rank(key) >= rank(other)) ? get(key) : null;
  });
  if (secret && secretFile) {
    throw new InputError('Only one of operatorApi.hmacSecret and operatorApi.hmacSecretFile can be given');
  }
  return {
    host: get('operatorApi.host'),
    port: get('operatorApi.port'),
    hmacSecret: secret ?? null,
    hmacSecretFile: secretFile ?? join(state, 'operator-secret'),
    makesSecretFile: !secret && !secretFile,
    allowedHosts: get('operatorApi.allowedHosts'),
    maxBodyBytes: get('operatorApi.maxBodyBytes'),
    maxHeaderBytes: get('operatorApi.maxHeaderBytes'),
    headersTimeoutMs: get('operatorApi.headersTimeoutMs'),
    requestTimeoutMs: get('operatorApi.requestTimeoutMs'),
    bodyWaitMs: get('operatorApi.bodyWaitMs'),
    keepAliveTimeoutMs: get('operatorApi.keepAliveTimeoutMs'),
    maxConnections: get('operatorApi.maxConnections'),
    accessTokens: get('operatorApi.accessTokens'),
    maxUsedTokens: get('operatorApi.maxUsedTokens'),
    maxEventReaders: get('operatorApi.maxEventReaders'),
    eventsBufferBytes: get('operatorApi.eventsBufferBytes'),
    eventsBacklogBytes: get('operatorApi.eventsBacklogBytes'),
    eventsHeartbeatMs: get('operatorApi.eventsHeartbeatMs'),
    maxPreviewIds: get('operatorApi.maxPreviewIds'),
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}
