// Where the operator API is and which secret its tokens are signed with: options, environment, config, in this order.
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
      .option('--secret-file <file>', 'file with the operator secret (else DISTRIBUTOR_SECRET_FILE, else the config)')
      .option(
        '--secret <secret>',
        'the secret itself (else DISTRIBUTOR_SECRET); everyone on this machine can see it in the process list',
      ),
  );

export const withConnectionOptions = (command: Command): Command =>
  withSecretOptions(
    command.option('--url <url>', 'where the operator API is (else DISTRIBUTOR_URL, else the config)', parseUrl),
  );

/** @throws {InvalidArgumentError} for what `fetch` could not use */
export function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new InvalidArgumentError('It must look like http://localhost:3335.');
  }
  const base = withoutLastSlashes(url.href);
  return base.endsWith('/api/v1') ? withoutLastSlashes(base.slice(0, -'/api/v1'.length)) : base;
}

/** @throws {InputError} where nothing says where the API is */
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
    throw new InputError('operatorApi.port is 0, so only the node knows its port: give the --url it printed at start');
  }
  return httpUrl(reachableHost(host), port);
}

/** @throws {InputError} where there is no secret, it cannot be read, or is too short to be one */
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
      `${error.message}\nThe node makes it at its first start. For a node elsewhere, give --url and --secret-file.`,
    );
  });
}

function operatorApiOf({ files, operatorApi }: Config, option: string): NonNullable<Config['operatorApi']> {
  if (operatorApi) return operatorApi;
  throw new InputError(
    `The config ${files.join(', ') || 'here'} has no operatorApi section, and a node started with it no operator API: give ${option}, or another --config`,
  );
}

/** Where a node that listens on every address can be reached from its own machine. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}
