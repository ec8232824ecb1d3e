import { isIP, type BlockList } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { includes, normaliseAddress } from './addresses.js';
import { readForwardedAddress, type TailscaleWay } from './tailscale-peers.js';

/** Headers that a proxy adds: their sender forwards a request of another client. */
const FORWARDING_HEADER = /^(forwarded|x-forwarded-.*|x-real-ip|tailscale-.*)$/;

/** The origin and destination of a request, as its headers state them, not verified. */
export interface RequestFacts {
  /** The address at the other end of the socket. */
  readonly peerAddress: string;
  /** The peer's address, or the one that trusted proxies or Tailscale report. */
  readonly clientAddress: string;
  /** The local port that received the request. */
  readonly localPort: number;
  /** Every `Host` header; a valid request has exactly one. */
  readonly hosts: readonly string[];
  /** Undefined when there is none; several are joined, and so match nothing. */
  readonly origin: string | undefined;
  /** True when any forwarding header is present. */
  readonly isForwarded: boolean;
  /** The way of the request through Tailscale; undefined if it has come directly. */
  readonly tailscale: TailscaleWay | undefined;
}

/**
 * Reads the facts of a plain or upgrade request. `X-Forwarded-For` counts only from `trustedProxies` and from Tailscale, which
 * also states the Host that the client has used where it cannot keep it.
 */
export function readRequestFacts(
  request: IncomingMessage,
  trustedProxies: BlockList,
  tailscale?: TailscaleWay,
): RequestFacts {
  const { headersDistinct, socket } = request;
  const peerAddress = normaliseAddress(socket.remoteAddress ?? '');
  return {
    peerAddress,
    clientAddress:
      (tailscale && readForwardedAddress(request)) ??
      findClientAddress(peerAddress, headersDistinct['x-forwarded-for'] ?? [], trustedProxies),
    // Read when it is needed, because a socket keeps the answer for as long as it is open.
    get localPort() {
      return socket.localPort ?? 0;
    },
    hosts: (tailscale === 'listener' && headersDistinct['x-forwarded-host']) || (headersDistinct['host'] ?? []),
    origin: headersDistinct['origin']?.join(', '),
    isForwarded: Object.keys(headersDistinct).some((name) => FORWARDING_HEADER.test(name)),
    tailscale,
  };
}

/** Reads the address of a hop. Proxies write it with a port, in brackets or in quotes as well. */
function readHop(text: string): string {
  const plain = text.trim().replace(/^"(.*)"$/, '$1');
  const [, inBrackets, ofVersion4] = /^(?:\[([^\]]*)\]|(\d+\.\d+\.\d+\.\d+))(?::\d{1,5})?$/.exec(plain) ?? [];
  return normaliseAddress(inBrackets ?? ofVersion4 ?? plain);
}

/** Returns the nearest hop that is not a trusted proxy: any client could have written the hops beyond it. */
function findClientAddress(peer: string, forwardedFor: readonly string[], trusted: BlockList): string {
  const hops = forwardedFor.flatMap((header) => header.split(',')).map(readHop);
  let nearest = peer;
  while (includes(trusted, nearest)) {
    const next = hops.pop();
    if (next === undefined || isIP(next) === 0) break;
    nearest = next;
  }
  return nearest;
}
