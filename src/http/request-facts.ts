import { isIP, type BlockList } from 'node:net';
import type { IncomingMessage } from 'node:http';
import { includes, normaliseAddress } from './addresses.js';

/** Headers that a proxy adds: who sends one speaks for somebody else. */
const FORWARDING_HEADER = /^(forwarded|x-forwarded-.*|x-real-ip|tailscale-.*)$/;

/** What a request says about where it comes from and where it means to go. Nothing of it is verified. */
export interface RequestFacts {
  /** The address at the other end of the socket. */
  readonly peerAddress: string;
  /** The peer's, or what trusted proxies say of theirs. */
  readonly clientAddress: string;
  /** The port on which the request came in. */
  readonly localPort: number;
  /** Every `Host` header; a proper request has exactly one. */
  readonly hosts: readonly string[];
  /** Undefined when there is none; several are joined, and so match nothing. */
  readonly origin: string | undefined;
  /** Whether any forwarding header is there. */
  readonly isForwarded: boolean;
}

/** Reads the facts of a request, plain or upgrade. `trustedProxies` are those whose `X-Forwarded-For` counts. */
export function readRequestFacts(request: IncomingMessage, trustedProxies: BlockList): RequestFacts {
  const { headersDistinct, socket } = request;
  const peerAddress = normaliseAddress(socket.remoteAddress ?? '');
  return {
    peerAddress,
    clientAddress: findClientAddress(peerAddress, headersDistinct['x-forwarded-for'] ?? [], trustedProxies),
    localPort: socket.localPort ?? 0,
    hosts: headersDistinct['host'] ?? [],
    origin: headersDistinct['origin']?.join(', '),
    isForwarded: Object.keys(headersDistinct).some((name) => FORWARDING_HEADER.test(name)),
  };
}

/** From the nearest hop outwards, the first that is no trusted proxy: what lies beyond it anybody could have written. */
function findClientAddress(peer: string, forwardedFor: readonly string[], trusted: BlockList): string {
  const hops = forwardedFor.flatMap((header) => header.split(',')).map((hop) => normaliseAddress(hop.trim()));
  let nearest = peer;
  while (includes(trusted, nearest)) {
    const next = hops.pop();
    if (next === undefined || isIP(next) === 0) break;
    nearest = next;
  }
  return nearest;
}
