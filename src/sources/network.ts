// Which addresses a source may have, and how its name is resolved: every connection is checked, so that DNS rebinding fails.
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { SourceFault } from './source-fault.ts';

export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Resolves names, and decides which addresses connections may use. */
export interface Network {
  /** All addresses of a name. @throws system errors */
  resolve(name: string): Promise<readonly Address[]>;
  allows(address: string): boolean;
}

/** RFC 6890 and its successors: everything that is not the public internet. */
const notPublic4 = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  notPublic4.addSubnet(net, prefix);
}

/** Global unicast addresses, except those that embed an IPv4 address and those for documentation. */
const global6 = new BlockList();
global6.addSubnet('2000::', 3, 'ipv6');
const notPublic6 = new BlockList();
notPublic6.addSubnet('2001::', 32, 'ipv6');
notPublic6.addSubnet('2001:db8::', 32, 'ipv6');
notPublic6.addSubnet('2002::', 16, 'ipv6');
notPublic6.addSubnet('3fff::', 20, 'ipv6');

/** Whether an address belongs to the public internet; IPv6 without brackets. False if the text is not an address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !notPublic4.check(address, 'ipv4');
  // An address with a zone is link-local.
  if (family !== 6 || address.includes('%')) return false;
  return global6.check(address, 'ipv6') && !notPublic6.check(address, 'ipv6');
}

const resolve = (name: string): Promise<Address[]> => lookup(name, { all: true });
const publicNetwork: Network = { resolve, allows: isPublicAddress };
const anyNetwork: Network = { resolve, allows: () => true };

export const networkOf = (allowPrivateAddresses: boolean): Network =>
  allowPrivateAddresses ? anyNetwork : publicNetwork;

/** Deadline for a connection, name resolution included. */
const connectTimeoutMs = 10_000;
const maxHeaderBytes = 16_384;

const agents = new WeakMap<Network, Agent>();

/** The HTTP client for a network; its idle connections keep no process alive. */
export function agentFor(network: Network): Agent {
  const known = agents.get(network);
  if (known) return known;
  const connector = buildConnector({ timeout: connectTimeoutMs, lookup: guardedLookup(network) });
  const agent = new Agent({
    connect: (options, callback) => {
      // An address in a URL is not looked up.
      const host = options.hostname.replace(/^\[(.*)\]$/, '$1');
      if (isIP(host) !== 0 && !network.allows(host)) callback(notAllowed(), null);
      else connector(options, callback);
    },
    maxHeaderSize: maxHeaderBytes,
    // The caller sets the deadlines.
    ...{ headersTimeout: 0, bodyTimeout: 0 },
  });
  agents.set(network, agent);
  return agent;
}

const notAllowed = (): SourceFault =>
  new SourceFault('wrong', 'NotAllowed', 'has an address that is private, loopback or otherwise not public');

/** The connection is made to one of the addresses that this returns: there is no second resolution. */
function guardedLookup(network: Network): LookupFunction {
  return (name, options, callback) => {
    network.resolve(name).then(
      (found) => {
        const allowed = found.filter(({ address }) => network.allows(address));
        const [first] = allowed;
        if (first === undefined) callback(notAllowed(), '', 0);
        else if (options.all) callback(null, [...allowed]);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
}
