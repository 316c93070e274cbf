// The config of a node: one frozen object, made at start from files, environment and defaults.
import { join } from 'node:path';
import { InputError } from '../base/errors.ts';
import { withoutUser } from '../base/http-url.ts';
import { packageRoot } from '../base/version.ts';
import type { StatusFacts } from '../ipc/messages.ts';
import { configPaths, readConfigFile } from './config-file.ts';
import { keyNames, keys, type LogLevel, type Section } from './keys.ts';
import { readValues, type Values } from './values.ts';

/**
 * Every key in use, by its row in the table, and what follows from several of them together. All paths are absolute, all
 * sizes are in bytes.
 */
export interface Config extends Omit<Section, 'directories' | 'logs' | 'operatorApi' | 'auditLog'> {
  /** The files it was read from, later files on top of earlier ones; none: built-in defaults. */
  readonly files: readonly string[];
  /** Keys that were given but have no effect, and variables that name no key: the node lists them at start. */
  readonly ignored: readonly string[];
  readonly directories: { readonly state: string; readonly assets: string };
  readonly logs: {
    readonly console: Section<'logs.console.'>;
    /** Null: no log files. */
    readonly file: (Section<'logs.file.'> & { readonly path: string }) | null;
  };
  /** Null: no operator API. */
  readonly operatorApi: OperatorApiConfig | null;
  readonly auditLog: Section<'auditLog.'> & { readonly path: string };
  readonly statusFacts: StatusFacts;
}

type OperatorApiConfig = Section<'operatorApi.'> & {
  /** Used where `hmacSecret` is null. */
  readonly hmacSecretFile: string;
  /** Whether a missing secret file is created: only the default one is. */
  readonly makesSecretFile: boolean;
};

export interface ConfigSource {
  /** `--config`; none: `DISTRIBUTOR_CONFIG`, else `CONFIG_PATH`, else `./config.yml` if there, else the defaults. */
  readonly paths?: readonly string[] | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/**
 * The config, deep-frozen. Reads the config files and writes nothing.
 * @throws {InputError} every wrong key with its line or variable, without secrets
 */
export function loadConfig({ paths = [], env, cwd }: ConfigSource): Config {
  const files = configPaths(paths, env, cwd).map(readConfigFile);
  const values = readValues(files, env, cwd);
  const { get, has, all } = values;
  const usesExample = !has('catalogue') && !has('endpoints.storageSquid');
  const peerState = has('directories.state') ? null : get('directories.cacheState');
  const state = peerState ?? get('directories.state');
  checkSquid(all.endpoints.storageSquid, all.catalogue);

  return frozen({
    files: files.map(({ path }) => path),
    ignored: [
      ...keyNames.filter((name) => 'unused' in keys[name] && has(name)),
      ...(all.catalogue !== null && has('endpoints.storageSquid') ? ['endpoints.storageSquid (catalogue is set)'] : []),
      ...values.ignoredVariables,
    ],
    ...all,
    catalogue: usesExample ? join(packageRoot, 'examples', 'catalogue.yml') : all.catalogue,
    workerId: all.workerId ?? (usesExample ? 0 : null),
    directories: { state, assets: get('directories.assets') ?? join(state, 'assets') },
    logs: { console: { level: consoleLevel(values) }, file: logFile(values) },
    operatorApi: hasOperatorApi(values, files.length > 0) ? operatorApi(values, state) : null,
    auditLog: { ...all.auditLog, path: all.auditLog.path ?? join(state, 'audit.jsonl') },
    statusFacts: statusFacts(values, env),
  });
}

const statusFacts = ({ get }: Values, { NODE_ENV: nodeEnv }: NodeJS.ProcessEnv): StatusFacts => ({
  storageLimit: get('limits.storage') ?? 0,
  queryNodeUrl: withoutUser(get('endpoints.storageSquid') ?? ''),
  ...(nodeEnv !== undefined && { nodeEnv }),
});

/** With a catalogue the squid is not queried, so its URL is not checked. */
function checkSquid(url: string | null, catalogue: string | null): void {
  if (url === null || catalogue !== null) return;
  const protocol = URL.canParse(url) ? new URL(url).protocol : '';
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new InputError('endpoints.storageSquid must be a URL that begins with http:// or https://');
  }
}

/** Unlike the peer, a config without this section logs to the console: only an unset section turns it off. */
const consoleLevel = ({ get, has, unset }: Values): LogLevel =>
  unset('logs.console') && !has('logs.console.level') ? 'off' : get('logs.console.level');

function logFile({ all, has }: Values): Config['logs']['file'] {
  const { level, path } = all.logs.file;
  if (level === 'off') return null;
  if (path !== null) return { ...all.logs.file, path };
  if (has('logs.file')) throw new InputError('logs.file.path must name the folder of the log files');
  return null;
}

/** Config files without the section turn the API off, as with the peer; without any file it is on. */
const hasOperatorApi = ({ has, unset }: Values, hasFile: boolean): boolean =>
  has('operatorApi') || (!hasFile && !unset('operatorApi'));

function operatorApi({ all, get, has, rank }: Values, state: string): OperatorApiConfig {
  const secretKeys = ['operatorApi.hmacSecret', 'operatorApi.hmacSecretFile'] as const;
  // Two keys for one thing: the one set by the higher layer counts, as with a key that is set twice.
  const [secret, secretFile] = secretKeys.map((key, index) => {
    const other = secretKeys[1 - index] ?? key;
    return has(key) && (!has(other) || rank(key) >= rank(other)) ? get(key) : null;
  });
  if (secret && secretFile) {
    throw new InputError('Only one of operatorApi.hmacSecret and operatorApi.hmacSecretFile can be given');
  }
  return {
    ...all.operatorApi,
    hmacSecret: secret ?? null,
    hmacSecretFile: secretFile ?? join(state, 'operator-secret'),
    makesSecretFile: !secret && !secretFile,
  };
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}
