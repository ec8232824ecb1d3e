import { GatewayError, type MessageInPayload } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import { type Session, isInScope } from '../store/index.js';

/** Returns whether a session, or a person, is of the tenant and the channels of a credential. */
export function isWithinReach(principal: Principal, { tenant, channel }: Pick<Session, 'tenant' | 'channel'>): boolean {
  return isInScope(principal.tenant, tenant) && (!principal.channels || principal.channels.includes(channel));
}

/** Returns the channels of which a credential reads all sessions (protocol.md section 5): those of a driver that names them. */
export function listFollowed({ role, channels = [], scopes }: Principal): readonly string[] {
  return role === 'channel' && scopes.has('sessions:read') ? channels : [];
}

/**
 * Checks that a credential is not bound to other channels.
 * @throws GatewayError FORBIDDEN
 */
export function checkChannel(principal: Principal, channel: string): void {
  if (!principal.channels || principal.channels.includes(channel)) return;
  throw new GatewayError('FORBIDDEN', { reason: `this credential is bound to other channels than "${channel}"` });
}

/**
 * Checks that a credential may speak on `channel` as `sender`.
 * @throws GatewayError FORBIDDEN
 */
export function checkVoice(principal: Principal, channel: string, sender: string): void {
  checkChannel(principal, channel);
  if (principal.role === 'user' && sender !== principal.sender) {
    throw new GatewayError('FORBIDDEN', {
      reason: `this credential may speak only as its own sender, not as "${sender}"`,
    });
  }
}

/**
 * Returns the payload with only the flags about the sender that this credential is trusted with: a channel knows who is
 * mentioned and who is an admin, a user is not trusted with either, and an operator is always an admin.
 */
export function keepTrustedFlags(principal: Principal, payload: MessageInPayload): MessageInPayload {
  if (principal.role === 'channel') return payload;
  const { sender_is_admin: _admin, is_direct_mention, is_reply_to_agent, observe, ...rest } = payload;
  if (principal.role !== 'operator') return rest;
  return {
    ...rest,
    sender_is_admin: true,
    ...(is_direct_mention === undefined ? {} : { is_direct_mention }),
    ...(is_reply_to_agent === undefined ? {} : { is_reply_to_agent }),
    ...(observe === undefined ? {} : { observe }),
  };
}
