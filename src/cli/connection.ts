// The URL of the operator API and the secret that signs tokens: from options, environment or config, in this order.
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../base/errors.ts';
import { httpUrl, withoutLastSlashes } from '../base/http-url.ts';
import type { Config } from '../config/config.ts';
import type { Secret } from '../operator/auth/secret.ts';
import { type ConfigOptions, withConfig } from './config-option.ts';

export interface SecretOptions extends ConfigOptions {
  readonly secretFile?: string;
  readonly secret?: string;
}

export interface ConnectionOptions extends SecretOptions {
  readonly url?: string;
}

export const withSecretOptions = (command: Command): Command =>
  withConfig(
    command
      .option(
        '--secret-file <file>',
        'file with the operator secret (default: DISTRIBUTOR_SECRET_FILE, then the config)',
      )
      .option(
        '--secret <secret>',
        'the secret itself (default: DISTRIBUTOR_SECRET); visible to every user of this machine in the process list',
      ),
  );

export const withConnectionOptions = (command: Command): Command =>
  withSecretOptions(
    command.option('--url <url>', 'URL of the operator API (default: DISTRIBUTOR_URL, then the config)', parseUrl),
  );

/** @throws {InvalidArgumentError} for a URL that `fetch` cannot use */
export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new InvalidArgumentError('It must look like http://localhost:3335.');
  }
  const base = withoutLastSlashes(url.href);
  return base.endsWith('/api/v1') ? withoutLastSlashes(base.slice(0, -'/api/v1'.length)) : base;
}

/** @throws {InputError} if neither options, environment nor config name the URL */
export async function urlFor(options: ConnectionOptions, config: () => Promise<Config>): Promise<string> {
  if (options.url) return options.url;
  const fromEnv = process.env.DISTRIBUTOR_URL;
  if (fromEnv) {
    try {
      return parseUrl(fromEnv);
    } catch {
      throw new InputError('DISTRIBUTOR_URL must look like http://localhost:3335');
    }
  }
  const { host, port } = operatorApiOf(await config(), '--url');
  if (port === 0) {
    throw new InputError('operatorApi.port is 0, so only the node knows its port: pass the --url it printed at start');
  }
  return httpUrl(reachableHost(host), port);
}

/** @throws {InputError} if there is no secret, it cannot be read, or it is too short */
export async function secretFor(options: SecretOptions, config: () => Promise<Config>): Promise<Secret> {
  const { loadSecret, secretOf } = await import('../operator/auth/secret.ts');
  const fromFile = (file: string) => loadSecret({ hmacSecret: null, hmacSecretFile: resolve(file) }, { make: false });
  const { DISTRIBUTOR_SECRET_FILE: envFile, DISTRIBUTOR_SECRET: envSecret } = process.env;
  if (options.secretFile !== undefined) return fromFile(options.secretFile);
  if (options.secret !== undefined) return secretOf(options.secret, '--secret');
  if (envFile) return fromFile(envFile);
  if (envSecret) return secretOf(envSecret, 'DISTRIBUTOR_SECRET');
  const operatorApi = operatorApiOf(await config(), '--secret-file');
  return loadSecret(operatorApi, { make: false }).catch((error: Error) => {
    if (!operatorApi.makesSecretFile) throw error;
    throw new InputError(
      `${error.message}\nThe node creates the secret at its first start. For a node on another machine, pass --url and --secret-file.`,
    );
  });
}

function operatorApiOf({ files, operatorApi }: Config, option: string): NonNullable<Config['operatorApi']> {
  if (operatorApi) return operatorApi;
  throw new InputError(
    `The config ${files.join(', ') || 'here'} has no operatorApi section, so a node started with it has no operator API: pass ${option}, or another --config`,
  );
}

/** The loopback address for a node that listens on every address. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
