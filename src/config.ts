// The config of a node: one frozen object, made at start from file, environment and defaults.

/** All paths absolute, all sizes in bytes, every duration with its unit in its name. */
export interface Config {
  /** Where it came from; null: built-in defaults. */
  readonly file: string | null;
  readonly id: string;
  /** YAML catalogue; null: the node knows no objects. */
  readonly catalogue: string | null;
  readonly directories: { readonly state: string };
  readonly logs: { readonly console: { readonly level: string } };
  readonly intervals: { readonly checkCatalogueMs: number };
  readonly publicApi: {
    readonly host: string;
    readonly port: number;
    readonly workers: number;
    readonly drainTimeoutSec: number;
    readonly workerTimeoutMs: number;
    readonly startRetryMs: number;
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly keepAliveTimeoutMs: number;
    readonly maxHeaderBytes: number;
    readonly maxConnections: number;
    readonly idleGraceMs: number;
    readonly hotObjectsBytes: number;
  };
  /** Null: no operator API. */
  readonly operatorApi: {
    readonly host: string;
    readonly port: number;
    /** In the file itself; else `hmacSecretFile` is read (and made, where it is the default one). Never printed. */
    readonly hmacSecret: string | null;
    readonly hmacSecretFile: string;
    readonly allowedHosts: readonly string[];
    readonly maxBodyBytes: number;
    readonly maxHeaderBytes: number;
    readonly headersTimeoutMs: number;
    readonly requestTimeoutMs: number;
    readonly maxConnections: number;
    /** Whether tokens that are not bound to one request are taken. */
    readonly accessTokens: boolean;
    /** How many used request tokens are remembered; when full, further ones are refused. */
    readonly maxUsedTokens: number;
  } | null;
  readonly stateFile: { readonly saveTimeoutMs: number; readonly saveRetryMs: number };
  readonly workerId: number | null;
  readonly buckets: readonly string[] | null;
}
