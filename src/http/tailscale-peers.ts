import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../core/config/config-store.service.js';
import { isLoopbackAddress, normaliseAddress } from './addresses.js';

/**
 * The way of a request through Tailscale. `listener`: by the unix socket that only tailscaled reaches. `port`: perhaps, by the
 * port, where each process of this machine can send the same.
 */
export type TailscaleWay = 'listener' | 'port';

/** Knows which sockets Tailscale uses to forward requests of others. */
@Injectable()
export class TailscalePeers {
  private readonly adopted = new WeakSet<Socket>();

  constructor(private readonly config: ConfigStoreService) {}

  /** Notes that a socket comes from the listener for Tailscale. */
  adopt(socket: Socket): void {
    this.adopted.add(socket);
  }

  /** Returns how Tailscale uses a socket; undefined if it does not. */
  findWay(socket: Socket): TailscaleWay | undefined {
    if (this.adopted.has(socket)) return 'listener';
    if (!this.config.get('gateway.expose_via_tailscale')) return undefined;
    if (this.config.get('auth.tailscale') === true && this.config.get('gateway.tailscale_mode') === 'serve')
      return undefined;
    const { remoteAddress = '', localAddress } = socket;
    const isNear = remoteAddress === localAddress || isLoopbackAddress(normaliseAddress(remoteAddress));
    return isNear && remoteAddress !== '' ? 'port' : undefined;
  }
}

/** Returns the address for which Tailscale forwards a request: it states exactly one. Undefined for anything else. */
export function readForwardedAddress({
  headersDistinct,
}: Pick<IncomingMessage, 'headersDistinct'>): string | undefined {
  const [address, ...more] = headersDistinct['x-forwarded-for'] ?? [];
  return address !== undefined && more.length === 0 && isIP(address) !== 0 && !address.includes('%')
    ? normaliseAddress(address)
    : undefined;
}
