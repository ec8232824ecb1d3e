import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { Principal } from '../identity/principal.js';
import { Clock } from '../time/clock.js';
import { RateBuckets } from './rate-buckets.js';
import { Tally } from './tally.js';
import { readLimit } from './tenant-limits.js';

/**
 * Limits the rate of messages and the number of connections. Settings are read at each use, so a change takes effect
 * immediately. Each replica counts for itself, so messages and connections may add up over replicas.
 */
@Injectable()
export class RateLimitsService {
  private readonly messages: RateBuckets;
  private readonly reactions: RateBuckets;
  private readonly connections = new Tally();
  /** The beginnings of the keys of messages. */
  private readonly prefixes = new WeakMap<Principal, string>();

  constructor(
    clock: Clock,
    private readonly config: ConfigStoreService,
  ) {
    this.messages = new RateBuckets(clock);
    this.reactions = new RateBuckets(clock);
  }

  /**
   * Counts a message of a principal, whatever client ids it uses, or for role `channel` of the sender, because a driver
   * speaks for many people.
   * @throws GatewayError RATE_LIMITED with the time until the next message is allowed
   */
  takeMessage(principal: Principal, sender: string): void {
    const isChannel = principal.role === 'channel';
    const key = this.findPrefix(principal) + (isChannel ? sender : '');
    const perMinute = readLimit(this.config, principal.tenant, 'messages_per_minute');
    take(this.messages, key, perMinute, `messages per minute for one ${isChannel ? 'sender' : 'principal'}`);
  }

  /**
   * Counts a reaction of a sender.
   * @throws GatewayError RATE_LIMITED with the time until the next reaction is allowed
   */
  takeReaction({ tenant, principal }: Principal, sender: string): void {
    const perMinute = readLimit(this.config, tenant, 'reactions_per_minute');
    take(this.reactions, JSON.stringify([tenant, principal, sender]), perMinute, 'reactions per minute for one sender');
  }

  /**
   * Counts an open connection of an address.
   * @returns an idempotent function that releases it, or undefined if the address has reached its limit
   */
  openConnection(address: string): (() => void) | undefined {
    if (this.connections.count(address) >= this.config.get('limits.connections_per_address')) return undefined;
    return this.connections.enter(address);
  }

  /** Returns JSON, whose end is certain: with any sender after it, keys of two principals are never the same. */
  private findPrefix(principal: Principal): string {
    let prefix = this.prefixes.get(principal);
    if (prefix === undefined) {
      prefix = JSON.stringify([principal.tenant, principal.principal, principal.role === 'channel']);
      this.prefixes.set(principal, prefix);
    }
    return prefix;
  }
}

function take(buckets: RateBuckets, key: string, perMinute: number, unit: string): void {
  const retryAfterMs = buckets.take(key, perMinute);
  if (retryAfterMs > 0) throw new GatewayError('RATE_LIMITED', { limit: `${perMinute} ${unit}` }, { retryAfterMs });
}
