// The config as it may be shown: every value in effect except secrets.
import type { Config } from './config.ts';

/** Plain data for `distributor-node config`. */
export function shownConfig(config: Config): object {
  const { operatorApi, ...rest } = config;
  if (operatorApi === null) return { ...rest, operatorApi };
  const { hmacSecret, makesSecretFile, ...shown } = operatorApi;
  return { ...rest, operatorApi: hmacSecret === null ? shown : { ...shown, hmacSecret: '(not shown)' } };
}
