import { Injectable } from '@nestjs/common';
import { Whois } from '../auth/index.js';
import { TailscaleClient } from './tailscale-client.js';
import { TailscaleError } from './tailscale-error.js';

const TIMEOUT_MS = 5_000;
/** Programs that run at once: a process of this machine may send any number of addresses. */
const MAX_AT_ONCE = 8;

/** Asks tailscaled through its program. */
@Injectable()
export class TailscaleWhois extends Whois {
  private running = 0;

  constructor(private readonly client: TailscaleClient) {
    super();
  }

  override async find(address: string): Promise<string | undefined> {
    if (this.running >= MAX_AT_ONCE) throw new TailscaleError('too many `tailscale whois` run at once');
    this.running++;
    try {
      return await this.client.whois(address, TIMEOUT_MS);
    } finally {
      this.running--;
    }
  }
}
