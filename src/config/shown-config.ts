// The config as it may be shown: every value in effect except secrets.
import { withoutUser } from '../base/http-url.ts';
import type { Config } from './config.ts';

/** Plain data for `distributor-node config`. */
export function shownConfig(config: Config): object {
  const { operatorApi, endpoints, ...others } = config;
  const { storageSquid } = endpoints;
  const rest = {
    ...others,
    endpoints: { ...endpoints, storageSquid: storageSquid === null ? null : withoutUser(storageSquid) },
  };
  if (operatorApi === null) return { ...rest, operatorApi };
  const { hmacSecret, makesSecretFile, ...shown } = operatorApi;
  return { ...rest, operatorApi: hmacSecret === null ? shown : { ...shown, hmacSecret: '(not shown)' } };
}
