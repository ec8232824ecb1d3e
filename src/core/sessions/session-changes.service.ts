import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import { SessionStore, type Session, type SessionChange } from '../store/index.js';
import { SessionRouterService } from './session-router.service.js';

/** Makes administrative changes to sessions. Each adds a row to the audit trail. */
@Injectable()
export class SessionChangesService {
  constructor(
    private readonly router: SessionRouterService,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * Changes a session on behalf of `principal`. Takes effect with the next turn, and immediately for tool calls of a
   * running one.
   * @throws GatewayError NOT_FOUND when the session does not exist for this caller, STORE_UNAVAILABLE
   */
  async change(principal: Principal, sessionId: string, change: SessionChange): Promise<Session> {
    await this.router.getReadable(principal, sessionId);
    const session = await this.sessions.updateSession(sessionId, change, principal.principal);
    if (!session) throw new GatewayError('NOT_FOUND', { what: `session ${sessionId}` });
    return session;
  }
}
