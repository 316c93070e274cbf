// Checks `Host` and `Origin` against DNS rebinding.
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isLoopback } from '../../base/http-url.ts';

export interface HostRules {
  /** What the operator API listens on. */
  readonly host: string;
  /** Further names or addresses; ports are ignored. */
  readonly allowedHosts: readonly string[];
}

/** Target and origin of a request. */
export interface Whereabouts {
  /** Every `Host` header, and the authority of an absolute request target. */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  /** The address on which the connection was accepted. */
  readonly localAddress: string | undefined;
}

/** A name has 253 characters at most (RFC 1035 §2.3.4); a final dot and a port may follow. */
const longestHost = 253 + '.:65535'.length;

/** Ports are ignored: the check concerns names that an attacker's DNS could point at this machine. */
export function createHostCheck({ host, allowedHosts }: HostRules): (request: Whereabouts) => string | null {
  const listed = new Set([host, ...allowedHosts].map(nameOf));
  listed.delete(null);

  const isOurs = (name: string, localAddress: string | undefined): boolean =>
    listed.has(name) || isLoopback(name) || sameAddress(name, localAddress);

  /** @returns why the request is refused; null: it is not */
  return ({ hosts, origin, localAddress }) => {
    if (hosts.length === 0) return 'The request names no Host';
    for (const value of hosts) {
      const name = hostOf(value);
      if (name === null || !isOurs(name, localAddress)) return refusal('Host', value);
    }
    if (origin === undefined) return null;
    const name = hostOfOrigin(origin);
    return name !== null && isOurs(name, localAddress) ? null : refusal('Origin', origin);
  };
}

const refusal = (header: string, value: string): string =>
  `${header} ${JSON.stringify(value.slice(0, 100))} is not this node's: operatorApi.allowedHosts lists further names`;

/**
 * The name in a `Host` header (RFC 9110 §7.2), normalized: lower case, no port, no final dot, addresses in
 * WHATWG form and IPv6 without brackets. Null if invalid.
 */
export function hostOf(value: string): string | null {
  // The URL parser takes quadratic time over a long name in Punycode.
  if (value.length > longestHost) return null;
  // Other characters, such as `@` or `/`, could make the URL parser find another host than the client did.
  if (!/^(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{0,5})?$/i.test(value)) return null;
  return URL.canParse(`http://${value}`) ? plain(new URL(`http://${value}`).hostname) : null;
}

/** A host as written in a config: possibly Unicode, or IPv6 without brackets. */
const nameOf = (host: string): string | null => hostOf(isIP(host) === 6 ? `[${host}]` : domainToASCII(host) || host);

/** RFC 6454 §7: `null`, or a scheme, a host and perhaps a port. */
function hostOfOrigin(origin: string): string | null {
  const [, authority] = /^https?:\/\/([^/?#]+)$/i.exec(origin) ?? [];
  return authority === undefined ? null : hostOf(authority);
}

const plain = (hostname: string): string => hostname.replace(/^\[|\]$|\.$/g, '');

/** An address cannot be rebound, and the local address of the connection is ours. It may have the form `::ffff:192.0.2.1`. */
function sameAddress(name: string, localAddress: string | undefined): boolean {
  if (localAddress === undefined || isIP(name) === 0) return false;
  return name === localAddress.replace(/^::ffff:(\d+\.)/i, '$1').split('%', 1)[0];
}
