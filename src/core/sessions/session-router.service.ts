import { Injectable } from '@nestjs/common';
import { GatewayError, type MessageInPayload } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { Principal } from '../identity/principal.js';
import { SessionStore, type Priority, type Session, type SessionSeed } from '../store/index.js';
import { checkVoice, isWithinReach, keepTrustedFlags } from './access.js';
import { mentionsAgent, parseCommand } from './activation.js';
import { buildSessionSeed } from './session-key.js';

/** The result of routing a message. Routing writes nothing. */
export interface Route {
  readonly session: SessionSeed;
  /** True if the session was named by its id. */
  readonly namesSession: boolean;
  /** False for a group message that does not address the agent: it is answered only if the session is activated. */
  readonly isAddressed: boolean;
  readonly priority: Priority;
  /** The payload with only those flags that the sender's credential is trusted with. */
  readonly payload: MessageInPayload;
}

/** Decides which session a message belongs to, and whether the agent answers it. */
@Injectable()
export class SessionRouterService {
  constructor(
    private readonly sessions: SessionStore,
    private readonly config: ConfigStoreService,
  ) {}

  /**
   * Routes a message. Returns a promise only if the session has to be looked up: for a session named by id, and for role
   * `user` outside its main session.
   * @throws GatewayError FORBIDDEN, NOT_FOUND, INVALID_PAYLOAD
   */
  route(principal: Principal, received: MessageInPayload, sessionId: string | undefined): Route | Promise<Route> {
    checkVoice(principal, received.channel, received.sender);
    checkContent(received);
    const payload = keepTrustedFlags(principal, received);
    const priority = this.calculatePriority(payload);
    if (sessionId !== undefined) return this.routeToSession(principal, payload, priority, sessionId);

    const session = buildSessionSeed(principal.tenant, payload);
    const mustTakePart = principal.role === 'user' && session.mode !== 'main';
    const isAddressed = this.isAddressed(session, payload, priority);
    const route = { session, namesSession: false, isAddressed, priority, payload };
    if (!mustTakePart) return route;
    return this.isReadable(principal, session.id).then((isReadable) => {
      if (!isReadable) throw new GatewayError('NOT_FOUND', { what: 'session' });
      return route;
    });
  }

  /** Returns a session that this caller may read. @throws GatewayError NOT_FOUND */
  async getReadable(principal: Principal, sessionId: string): Promise<Session> {
    const session = await this.findReadable(principal, sessionId);
    if (!session) throw new GatewayError('NOT_FOUND', { what: `session ${sessionId}` });
    return session;
  }

  /** Returns whether `principal` may read a session, which need not exist. */
  async isReadable(principal: Principal, sessionId: string): Promise<boolean> {
    return (await this.findReadable(principal, sessionId)) !== undefined;
  }

  /** A session that the caller may not read is treated as nonexistent: role `user` must have taken part in it. */
  private async findReadable(principal: Principal, sessionId: string): Promise<Session | undefined> {
    const session = await this.sessions.findSession(sessionId);
    if (!session || !isWithinReach(principal, session)) return undefined;
    const mustTakePart = principal.role === 'user';
    if (mustTakePart && !(await this.sessions.isParticipant(sessionId, principal.sender ?? ''))) return undefined;
    return session;
  }

  private async routeToSession(
    principal: Principal,
    payload: MessageInPayload,
    priority: Priority,
    sessionId: string,
  ): Promise<Route> {
    const session = await this.getReadable(principal, sessionId);
    if (session.channel !== payload.channel) {
      throw new GatewayError('INVALID_PAYLOAD', {
        faults: [{ pointer: '/channel', message: `must be the channel of the session, "${session.channel}"` }],
      });
    }
    const isAddressed = this.isAddressed(session, payload, priority);
    return { session, namesSession: true, isAddressed, priority, payload };
  }

  private isAddressed({ mode }: SessionSeed, { content }: MessageInPayload, priority: Priority): boolean {
    return mode !== 'group' || priority > 1 || parseCommand(content, this.config.get('agent.name')) !== undefined;
  }

  /** A mention in the text counts as a direct mention, even from a user. */
  private calculatePriority(payload: MessageInPayload): Priority {
    if (payload.is_direct_mention || mentionsAgent(payload.content, this.config.get('agent.name'))) return 10;
    return payload.is_reply_to_agent ? 5 : 1;
  }
}

function checkContent(payload: MessageInPayload): void {
  if (payload.content === '' && !payload.attachments?.length) {
    throw new GatewayError('INVALID_PAYLOAD', {
      faults: [{ pointer: '/content', message: 'may be empty only when there are attachments' }],
    });
  }
}
