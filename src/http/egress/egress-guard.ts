import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv4, type LookupFunction } from 'node:net';
import { includes, normaliseAddress } from '../addresses.js';

export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** A checked URL with the addresses to connect to, whatever its name resolves to later. */
export interface PinnedTarget {
  readonly url: URL;
  readonly addresses: readonly HostAddress[];
  /** For `http.request` and `net.connect`: returns the pinned addresses. */
  readonly lookup: LookupFunction;
}

/** Thrown for a URL that the gateway does not request on behalf of others. */
export class EgressDeniedError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'EgressDeniedError';
  }
}

const PRIVATE_IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
];
/** Global addresses with a special meaning: IETF protocols with Teredo, documentation, 6to4. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'];
/** Addresses where clouds serve the credentials of their machines. No setting allows these. */
const NEVER = ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254/128', '100.100.100.200/32'];

const notGlobal = toBlockList([...PRIVATE_IPV4, ...SPECIAL_IPV6]);
/** The only range of publicly reachable IPv6 addresses (IANA). Mapped, translated and local ones lie outside. */
const globalIpv6 = toBlockList(['2000::/3']);
const never = toBlockList(NEVER);
/** Addresses that a network translates to the IPv4 address in their last 32 bits (RFC 6052). */
const nat64 = toBlockList(['64:ff9b::/96']);

/** Returns true when an address belongs to a host on the public internet. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%') || isIP(address) === 0) return false;
  return !includes(notGlobal, address) && (isIPv4(address) || includes(globalIpv6, address));
}

/** Resolves all addresses of a name; rejects when there are none. */
export type ResolveHost = (hostname: string) => Promise<readonly HostAddress[]>;

const resolveHost: ResolveHost = (hostname) => lookup(hostname, { all: true, order: 'verbatim' });

/** Rules of one part of the gateway, besides those of {@link EgressGuard}. */
export interface EgressRules {
  /** The setting that allows hosts, for the reason of a refusal. */
  readonly setting?: string;
  /** True if a refusal names the range of the address, for readers that may know it. */
  readonly namesRange?: boolean;
  /** Returns whether a URL leads to the gateway itself, which no setting allows. */
  readonly isOwn?: (url: URL, addresses: readonly string[]) => boolean;
}

/**
 * Decides which URLs the gateway may request on behalf of others (tools, media, webhooks, pages), so that it cannot be
 * used to reach hosts that only its machine can reach. Each URL is checked before it is requested, including
 * redirects, and the connection goes to the address that was checked.
 */
export class EgressGuard {
  /** @param allowedHosts `NAME` or `NAME:PORT` of hosts whose address may be private; read for each URL */
  constructor(
    private readonly allowedHosts: () => readonly string[],
    private readonly resolve: ResolveHost = resolveHost,
    private readonly rules: EgressRules = {},
  ) {}

  /** @throws EgressDeniedError with a reason that reveals nothing about the network beyond the caller's input */
  async check(text: string | URL): Promise<PinnedTarget> {
    const url = parse(text);
    const hostname = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = await this.findAddresses(hostname);
    const judged = addresses.map(({ address }) => toJudged(normaliseAddress(address)));
    if (this.rules.isOwn?.(url, judged)) throw new EgressDeniedError(`${url.host} is the gateway itself`);
    const isAllowed = this.isAllowed(url);
    const denied = judged.find((address) => includes(never, address) || !(isAllowed || isPublicAddress(address)));
    if (denied !== undefined) throw new EgressDeniedError(this.describeDenial(url, denied));
    return { url, addresses, lookup: pin(addresses) };
  }

  private describeDenial({ host }: URL, address: string): string {
    const { setting = 'tools.http.allow_hosts', namesRange = false } = this.rules;
    const range = namesRange ? findRange(address) : undefined;
    const where = range === undefined ? '' : ` (its address is in ${range})`;
    const advice = includes(never, address) ? 'no setting allows it' : `${setting} can allow it`;
    return `${host} is not a public host${where}; ${advice}`;
  }

  private async findAddresses(hostname: string): Promise<readonly HostAddress[]> {
    const family = isIP(hostname);
    if (family !== 0) return [{ address: hostname, family }];
    try {
      const addresses = await this.resolve(hostname);
      if (addresses.length > 0) return addresses;
    } catch {
      // The error of the name server must not reach the caller.
    }
    throw new EgressDeniedError(`there is no host ${hostname}`);
  }

  private isAllowed(url: URL): boolean {
    const name = url.hostname.replace(/\.$/, '');
    const port = url.port || (url.protocol === 'https:' ? '443' : '80');
    return this.allowedHosts().some((entry) => [name, `${name}:${port}`].includes(entry.toLowerCase()));
  }
}

/** Returns the address by which a host is judged: the IPv4 address that a NAT64 network translates to. */
function toJudged(address: string): string {
  if (!includes(nat64, address)) return address;
  // The URL parser writes any form of it as `64:ff9b::HIGH:LOW`, without leading zeros.
  const { hostname } = new URL(`http://[${address}]/`);
  const groups = hostname.slice(1, -1).split('::')[1]?.split(':') ?? [];
  const [high = 0, low = 0] = ['0', '0', ...groups].slice(-2).map((group) => Number.parseInt(group || '0', 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Returns the special range that an address is in. */
function findRange(address: string): string | undefined {
  return [...NEVER, ...PRIVATE_IPV4, ...SPECIAL_IPV6].find((range) => includes(toBlockList([range]), address));
}

function parse(text: string | URL): URL {
  const url = typeof text === 'string' ? URL.parse(text) : text;
  if (!url) throw new EgressDeniedError('this is not a URL');
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new EgressDeniedError(`${url.protocol} is not allowed; http: and https: are`);
  if (url.username !== '' || url.password !== '')
    throw new EgressDeniedError('a URL with a user name or a password is not allowed');
  return url;
}

function pin(addresses: readonly HostAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    if (options.all) return callback(null, [...addresses]);
    const [first] = addresses;
    return callback(null, first?.address ?? '', first?.family);
  };
}

function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}
