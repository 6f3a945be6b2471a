import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { RuntimeError } from './errors.js';

/**
 * Addresses that are not of the public internet (IANA special-purpose address registries, RFC 6890): this host, private
 * and shared networks, links, the metadata of clouds, documentation, multicast. Of IPv6 only 2000::/3 is public.
 */
const special = new BlockList();
for (const [network, bits] of [
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
] as const)
  special.addSubnet(network, bits, 'ipv4');
// Within 2000::/3: Teredo and other protocol assignments, documentation, 6to4, which carries an IPv4 address.
for (const [network, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(network, bits, 'ipv6');
const publicIpv6 = new BlockList();
publicIpv6.addSubnet('2000::', 3, 'ipv6');

/** Whether an IP address is one of the public internet. An IPv4 address in IPv6 (mapped, or behind NAT64) is judged by itself. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !special.check(address, 'ipv4');
  if (isIP(address) !== 6) return false;
  const inner = ipv4Inside(address);
  if (inner !== undefined) return isPublicAddress(inner);
  return publicIpv6.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

/** The IPv4 address in ::ffff:0:0/96 and 64:ff9b::/96, in whatever spelling. */
function ipv4Inside(address: string): string | undefined {
  const spelt = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
  const [, high, low] = /^(?:::ffff|64:ff9b:):([\da-f]{1,4}):([\da-f]{1,4})$/.exec(spelt) ?? [];
  if (high === undefined || low === undefined) return undefined;
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [a >> 8, a & 255, b >> 8, b & 255].join('.');
}

/** Which addresses may be connected to: public ones, and those that are named. */
export interface AddressRule {
  /** Throws RuntimeError `invalid` when the host of an address is an IP address that may not be connected to. */
  requireHost(url: URL): void;
  /** Whether a host was named, so that it may be reached without encryption. */
  isNamed(url: URL): boolean;
  /**
   * For connections: resolves a name to those of its addresses that may be connected to, at the moment of the connection,
   * so that a name which has changed its address since it was checked is of no use. Fails with a RuntimeError.
   */
  lookup(url: URL): LookupFunction;
}

/** @param allowed IP addresses, networks such as 10.0.0.0/8, and names of hosts that may be private */
export function addressRule(allowed: readonly string[]): AddressRule {
  const networks = new BlockList();
  const names = new Set<string>();
  for (const entry of allowed) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    if (family === 0) names.add(entry.toLowerCase());
    else networks.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), family === 4 ? 'ipv4' : 'ipv6');
  }
  const isInNetwork = (address: string): boolean => {
    const family = isIP(address);
    if (family === 0) return false;
    const inner = family === 6 ? ipv4Inside(address) : undefined;
    return networks.check(address, family === 4 ? 'ipv4' : 'ipv6') || (inner !== undefined && isInNetwork(inner));
  };
  const hostOf = (url: URL) => url.hostname.replace(/^\[|\]$/g, '');
  const isAllowed = (address: string, host: string) =>
    isPublicAddress(address) || names.has(host) || isInNetwork(address);
  return {
    requireHost(url) {
      const host = hostOf(url);
      if (isIP(host) !== 0 && !isAllowed(host, host)) throw refusal(host);
    },
    isNamed: (url) => names.has(hostOf(url)) || isInNetwork(hostOf(url)),
    lookup: (url) => (hostname, options, callback) => {
      systemLookup(hostname, { ...options, all: true }, (error, found) => {
        if (error) return callback(error, '', 4);
        const addresses = found.filter(({ address }) => isAllowed(address, hostOf(url)));
        const [first] = addresses;
        if (!first) {
          return callback(refusal(hostname, found[0]?.address), '', 4);
        }
        if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}

function refusal(host: string, address = host): RuntimeError {
  const what = address === host ? `${host} is` : `${host} is at ${address},`;
  return new RuntimeError(
    'invalid',
    `${what} no public address, so nothing is sent to it.`,
    'If it is meant, name it in webhooks.allowPrivate of the config file.',
  );
}
