import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Names under which a machine calls itself. */
const LOOPBACK_NAME = 'localhost';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** An address as sockets tell it, without the mapping of IPv4 into IPv6 and without a zone. */
export function normaliseAddress(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  return mapped !== undefined && isIPv4(mapped) ? mapped : plain;
}

/** Whether `address` is an IP address of the loopback interface. */
export function isLoopbackAddress(address: string): boolean {
  return includes(loopback, address);
}

/** Whether `host`, a name or an address without port and brackets, names this machine and nothing beyond it. */
export function isLoopbackHost(host: string): boolean {
  return host === LOOPBACK_NAME || isLoopbackAddress(host);
}

/** Whether `entry` is an IP address or a CIDR range. */
export function isNetwork(entry: string): boolean {
  return addNetwork(new BlockList(), entry);
}

/** Reads addresses and CIDR ranges; entries that are neither are left out. */
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

/** Whether an IP address lies in one of `networks`. */
export function includes(networks: BlockList, address: string): boolean {
  if (isIPv4(address)) return networks.check(address, 'ipv4');
  return isIPv6(address) && networks.check(address, 'ipv6');
}

/**
 * What limits count as one address. Whoever has one IPv6 address has the 2^64 of its network, so those are one.
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
