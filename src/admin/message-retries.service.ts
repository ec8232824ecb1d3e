import { ConflictException, Injectable } from '@nestjs/common';
import { noteOfRetry } from '../core/audit/audit-notes.js';
import type { Principal } from '../core/identity/principal.js';
import { PhaseService } from '../core/phase/phase.service.js';
import { MessageQueueService } from '../core/queue/message-queue.service.js';
import { isWithinReach } from '../core/sessions/access.js';
import { AdminStore, AuditStore, SessionStore, type AcceptedMessage, type MessageLife } from '../core/store/index.js';
import { readRetriedRef, retryId } from '../core/store/retry-id.js';
import { Clock } from '../core/time/clock.js';
import { GatewayError } from '../protocol/index.js';

/** Maximum number of retries of one message. */
const MAX_RETRIES = 100;

/** Sends failed messages again. */
@Injectable()
export class MessageRetriesService {
  constructor(
    private readonly store: AdminStore,
    private readonly sessions: SessionStore,
    private readonly queue: MessageQueueService,
    private readonly audit: AuditStore,
    private readonly phase: PhaseService,
    private readonly clock: Clock,
  ) {}

  /** Returns the life of a message that the caller may see. @throws GatewayError NOT_FOUND */
  async getLife(caller: Principal, messageRef: string): Promise<MessageLife> {
    const life = await this.store.findMessageLife(caller.tenant, messageRef);
    if (!life || !isWithinReach(caller, life)) throw new GatewayError('NOT_FOUND', { what: `message ${messageRef}` });
    return life;
  }

  /**
   * Accepts the content of a failed message again, as a message of its own that supersedes it. A repeat while its last retry
   * has not failed returns that one.
   * @throws ConflictException if it has not failed; GatewayError NOT_FOUND, DRAINING, QUEUE_FULL, STORE_UNAVAILABLE
   */
  async retry(caller: Principal, messageRef: string): Promise<AcceptedMessage> {
    if (this.phase.isDraining) throw new GatewayError('DRAINING', {});
    const { message, status } = await this.getLife(caller, messageRef);
    if (status !== 'failed')
      throw new ConflictException(`The message has not failed: it is ${status}, and only a failed one is sent again`);
    const session = await this.sessions.findSession(message.sessionId);
    if (!session) throw new GatewayError('NOT_FOUND', { what: `message ${messageRef}` });
    const { client, payload, priority } = message;
    const accepted = await this.queue.enqueue({
      client,
      messageId: await this.findId(caller, message),
      session,
      namesSession: true,
      payload: { ...payload, supersedes: messageRef },
      isAddressed: true,
      priority,
      receivedAt: this.clock.now(),
    });
    if (accepted.kind === 'accepted')
      await this.audit.recordAudit(noteOfRetry(session.tenant, messageRef, accepted.messageRef, caller.principal));
    return accepted;
  }

  /** Returns the ID of the next retry: of the first one that does not exist, or of the last one if it has not failed. */
  private async findId(caller: Principal, { messageRef, messageId, client }: MessageLife['message']): Promise<string> {
    // The retry of a retry counts on from it: the place that the reply goes to is that of the first message.
    const first = readRetriedRef(messageId) ?? messageRef;
    for (let n = 1; n <= MAX_RETRIES; n++) {
      const id = retryId(first, n);
      const earlier = await this.queue.findMessage({ by: 'id', client, messageId: id });
      if (!earlier) return id;
      const life = await this.store.findMessageLife(caller.tenant, earlier.messageRef);
      if (life?.status !== 'failed') return id;
    }
    throw new ConflictException(`The message was sent again ${MAX_RETRIES} times and has failed each time`);
  }
}
