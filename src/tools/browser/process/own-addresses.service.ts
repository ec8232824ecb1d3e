import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ConfigStoreService } from '../../../core/config/config-store.service.js';
import { ReachService } from '../../../core/reach/reach.service.js';
import { isLoopbackAddress } from '../../../http/addresses.js';

/** Knows the names and addresses of this gateway, which no page may reach. */
@Injectable()
export class OwnAddressesService {
  constructor(
    private readonly config: ConfigStoreService,
    private readonly adapters: HttpAdapterHost,
    private readonly reach: ReachService,
  ) {}

  /** Returns whether a URL leads to this gateway: by one of its names, or by its port on an address of this machine. */
  includes({ hostname, port, protocol }: URL, addresses: readonly string[]): boolean {
    const name = hostname.replace(/\.$/, '').toLowerCase();
    const names = this.config.get('gateway.allowed_hosts').map((host) => host.replace(/:\d+$/, '').toLowerCase());
    if ([...names, ...this.reach.addresses.map((own) => own.hostname)].includes(name)) return true;
    const server = this.adapters.httpAdapter.getHttpServer() as { address?(): AddressInfo | string | null };
    const bound = server.address?.();
    if (typeof bound !== 'object' || bound === null) return false;
    if (Number(port || (protocol === 'https:' ? '443' : '80')) !== bound.port) return false;
    const own = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? []);
    return addresses.some(
      (address) => isLoopbackAddress(address) || own.includes(address) || /^(0\.0\.0\.0|::)$/.test(address),
    );
  }
}
