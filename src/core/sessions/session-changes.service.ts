import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import { SessionStore, type Session, type SessionChange } from '../store/index.js';
import { SessionRouterService } from './session-router.service.js';

/** Administrative changes of sessions. Each leaves a row in the audit trail. */
@Injectable()
export class SessionChangesService {
  constructor(
    private readonly router: SessionRouterService,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * Changes a session in the name of `principal`. Takes effect with the next turn, and at once for what a running one calls.
   * @throws GatewayError NOT_FOUND when it does not exist for this caller, STORE_UNAVAILABLE
   */
  async change(principal: Principal, sessionId: string, change: SessionChange): Promise<Session> {
    await this.router.getReadable(principal, sessionId);
    const session = await this.sessions.updateSession(sessionId, change, principal.principal);
    if (!session) throw new GatewayError('NOT_FOUND', { what: `session ${sessionId}` });
    return session;
  }
}
