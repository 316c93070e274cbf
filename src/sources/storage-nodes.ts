// Joystream's storage nodes: their endpoints, which come from the chain, and which of them have an object.
import { withoutLastSlashes } from '../base/http-url.ts';

const maxEndpointLength = 1000;
/** Maximum number of endpoints of one object. */
const maxEndpoints = 100;
const askedAtOnce = 10;

/** The valid endpoints, without trailing slashes and without duplicates. */
export function validEndpoints(endpoints: readonly string[]): readonly string[] {
  const valid = endpoints.slice(0, maxEndpoints).flatMap((text) => {
    if (text.length > maxEndpointLength || !URL.canParse(text)) return [];
    const { protocol, username, password, search, hash, origin, pathname } = new URL(text);
    const isPlain = /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
    return isPlain ? [withoutLastSlashes(`${origin}${pathname}`)] : [];
  });
  return [...new Set(valid)];
}

export const fileUrl = (endpoint: string, objectId: string): string => `${endpoint}/api/v1/files/${objectId}`;
export const versionUrl = (endpoint: string): string => `${endpoint}/api/v1/version`;

/**
 * Endpoints that have an object, in the order of their answers; up to ten are asked at a time. No further endpoint is asked
 * while the caller tries one, or after the caller has ended the iteration.
 * @param endpoints the best first
 * @param has asks one endpoint; never rejects
 */
export async function* holders(
  endpoints: readonly string[],
  has: (endpoint: string, signal: AbortSignal) => Promise<boolean>,
): AsyncGenerator<string> {
  const left = [...endpoints];
  const asked = new Map<string, Promise<{ readonly endpoint: string; readonly isHolder: boolean }>>();
  const end = new AbortController();
  try {
    for (;;) {
      for (const endpoint of left.splice(0, askedAtOnce - asked.size)) {
        asked.set(
          endpoint,
          has(endpoint, end.signal).then((isHolder) => ({ endpoint, isHolder })),
        );
      }
      if (asked.size === 0) return;
      const { endpoint, isHolder } = await Promise.race(asked.values());
      asked.delete(endpoint);
      if (isHolder) yield endpoint;
    }
  } finally {
    end.abort();
  }
}
