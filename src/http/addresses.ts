import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** The name of the local machine. */
const LOOPBACK_NAME = 'localhost';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Returns an address as sockets report it, without the mapping of IPv4 into IPv6 and without a zone. */
export function normaliseAddress(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : plain;
}

/** Returns true when `address` is an IP address of the loopback interface. */
export function isLoopbackAddress(address: string): boolean {
  return includes(loopback, address);
}

/** Returns true when `host`, a name or an address without port and brackets, refers only to this machine. */
export function isLoopbackHost(host: string): boolean {
  return host === LOOPBACK_NAME || isLoopbackAddress(host);
}

/** Returns whether `entry` is an IP address or a CIDR range. */
export function isNetwork(entry: string): boolean {
  return addNetwork(new BlockList(), entry);
}

/** Parses addresses and CIDR ranges; invalid entries are ignored. */
export function parseNetworks(entries: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const entry of entries) addNetwork(networks, entry);
  return networks;
}

function addNetwork(networks: BlockList, entry: string): boolean {
  const [address = '', prefix, ...rest] = entry.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (prefix === undefined) {
    networks.addAddress(address, family);
    return true;
  }
  const bits = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || bits > (version === 4 ? 32 : 128)) return false;
  networks.addSubnet(address, bits, family);
  return true;
}

/** Returns true when an IP address is in one of `networks`. */
export function includes(networks: BlockList, address: string): boolean {
  if (isIPv4(address)) return networks.check(address, 'ipv4');
  return isIPv6(address) && networks.check(address, 'ipv6');
}

/**
 * Returns the key under which limits count an address. All 2^64 addresses of an IPv6 network have one key, since one
 * host usually has them all.
 */
export function limitKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
