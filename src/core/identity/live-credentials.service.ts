import { Injectable } from '@nestjs/common';
import type { Role, Scope } from '../../protocol/domain.js';
import { Broker, type Topic } from '../broker/broker.js';
import { Clock } from '../time/clock.js';
import type { Principal } from './principal.js';

/** Something that lasts as long as a credential: a connection, a stream. */
interface Use {
  readonly principal: Principal;
  readonly end: () => void;
  /** Cancels its alarm. */
  cancel: () => void;
}

/** The rest of a credential: none, or other rights. */
interface Remainder {
  /** When all its uses end now; absent: as before. Unix milliseconds. */
  readonly expiresAt?: number;
  readonly rights?: {
    readonly role: Role;
    readonly scopes: readonly Scope[];
    readonly channels: readonly string[] | undefined;
    readonly issuedAt: number;
  };
}

/** Ends what lasts as long as a credential, on all replicas, when it expires, is revoked, or has fewer rights. */
@Injectable()
export class LiveCredentialsService {
  private readonly uses = new Map<string, Set<Use>>();
  private readonly topic: Topic<Remainder>;

  constructor(
    private readonly clock: Clock,
    broker: Broker,
  ) {
    this.topic = broker.topic<Remainder>('credentials', (id, remainder) => this.apply(id, remainder));
  }

  /**
   * Calls `end` when the credential of a principal ends, at once if it has. Returns a function that stops that; undefined
   * for a credential without an end.
   */
  watch(principal: Principal, end: () => void): (() => void) | undefined {
    const { credentialId, expiresAt } = principal;
    if (credentialId === undefined && expiresAt === undefined) return undefined;
    const use: Use = { principal, end, cancel: () => {} };
    const forget = credentialId === undefined ? undefined : this.add(credentialId, use);
    this.arm(use, expiresAt);
    return () => {
      forget?.();
      use.cancel();
    };
  }

  /** Returns whether something on this replica lasts as long as a credential. */
  isUsed(credentialId: string): boolean {
    return this.uses.has(credentialId);
  }

  /** Ends all that a credential is used for. */
  end(credentialId: string): void {
    this.apply(credentialId, {});
    this.topic.publish(credentialId, {});
  }

  /** Ends what an older form of the principal's credential is used for, if it has rights that the principal has not. */
  limit(principal: Principal): void {
    this.replace(principal, {});
  }

  /** Like {@link limit}; what is left ends when the principal does, and not when the older form would have. */
  renew(principal: Principal & { readonly expiresAt: number }): void {
    this.replace(principal, { expiresAt: principal.expiresAt });
  }

  private replace({ credentialId, role, scopes, channels, issuedAt }: Principal, change: Remainder): void {
    if (credentialId === undefined || issuedAt === undefined) return;
    const remainder = { ...change, rights: { role, scopes: [...scopes], channels, issuedAt } };
    this.apply(credentialId, remainder);
    if (this.topic.isHeard(credentialId)) this.topic.publish(credentialId, remainder);
  }

  private arm(use: Use, expiresAt: number | undefined): void {
    use.cancel();
    use.cancel = () => {};
    if (expiresAt === undefined) return;
    if (expiresAt <= this.clock.now()) use.end();
    else use.cancel = this.clock.setAlarm(expiresAt, use.end);
  }

  private add(credentialId: string, use: Use): () => void {
    const uses = this.uses.get(credentialId) ?? new Set();
    if (uses.size === 0) this.topic.join(credentialId);
    this.uses.set(credentialId, uses.add(use));
    return () => {
      if (!uses.delete(use) || uses.size > 0) return;
      this.uses.delete(credentialId);
      this.topic.leave(credentialId);
    };
  }

  private apply(credentialId: string, { rights, expiresAt }: Remainder): void {
    for (const use of [...(this.uses.get(credentialId) ?? [])]) {
      if (!rights || exceeds(use.principal, rights)) use.end();
      else if (expiresAt !== undefined) this.arm(use, expiresAt);
    }
  }
}

function exceeds(older: Principal, { role, scopes, channels, issuedAt }: NonNullable<Remainder['rights']>): boolean {
  if ((older.issuedAt ?? 0) >= issuedAt) return false;
  const hasOtherChannels =
    channels !== undefined && (older.channels?.some((channel) => !channels.includes(channel)) ?? true);
  return older.role !== role || hasOtherChannels || [...older.scopes].some((scope) => !scopes.includes(scope));
}
