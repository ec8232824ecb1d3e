import { Injectable } from '@nestjs/common';
import { GatewayError, type MessageInPayload } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import type { Principal } from '../identity/principal.js';
import { SessionStore, type Priority, type Session, type SessionSeed } from '../store/index.js';
import { checkVoice, keepTrustedFlags, mayRead } from './access.js';
import { mentionsAgent, parseCommand } from './activation.js';
import { buildSessionSeed } from './session-key.js';

/** The result of routing a message. Routing writes nothing. */
export interface Route {
  readonly session: SessionSeed;
  /** `observe`: a group message that does not address the agent. */
  readonly disposition: 'queue' | 'observe';
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
   * Routes a message. Returns a promise only if the session has to be looked up.
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
    const addressed = session.mode !== 'group' || priority > 1 || this.isCommand(payload);
    if (addressed && !mustTakePart) return { session, disposition: 'queue', priority, payload };
    return this.sessions.findSession(session.id).then((known) => {
      if (mustTakePart && !(known && mayRead(principal, known)))
        throw new GatewayError('NOT_FOUND', { what: 'session' });
      return { session, disposition: addressed || known?.explicitActivation ? 'queue' : 'observe', priority, payload };
    });
  }

  /** Returns a session that this caller may read. @throws GatewayError NOT_FOUND */
  async getReadable(principal: Principal, sessionId: string): Promise<Session> {
    const session = await this.sessions.findSession(sessionId);
    if (!session || !mayRead(principal, session)) throw new GatewayError('NOT_FOUND', { what: `session ${sessionId}` });
    return session;
  }

  /** Returns whether `principal` may read a session, which need not exist. */
  async isReadable(principal: Principal, sessionId: string): Promise<boolean> {
    const session = await this.sessions.findSession(sessionId);
    return session !== undefined && mayRead(principal, session);
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
    const addressed = session.mode !== 'group' || session.explicitActivation || priority > 1 || this.isCommand(payload);
    return { session, disposition: addressed ? 'queue' : 'observe', priority, payload };
  }

  private isCommand({ content }: MessageInPayload): boolean {
    return parseCommand(content, this.config.get('agent.name')) !== undefined;
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
