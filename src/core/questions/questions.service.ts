import { Injectable } from '@nestjs/common';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { MessageClaimsService, type StopReason } from '../queue/message-claims.service.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { buildSessionSeed } from '../sessions/session-key.js';
import { SessionStore, type ClientKey, type Reply, type Session, type SessionSeed } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { QUESTION_CHANNEL } from '../queue/queue-rules.service.js';
import { clientOf, type QuestionFacts } from './question.js';

/** Pause before a question that another run has is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 250;
/** Number of newest messages of the session that are searched for the question: only a few can be newer. */
const NEWEST = 20;

/** A question of one agent to another. */
export interface Question extends QuestionFacts {
  /** The ID of the call that asks: a repeat after a crash finds the question by it. */
  readonly callId: string;
  /** The session of the asking turn. */
  readonly session: Session;
  readonly asker: AgentDefinition;
  readonly asked: AgentDefinition;
  readonly text: string;
}

/**
 * Lets the turn of one agent wait for the answer of another. The question is a message in a session of the asking session
 * and the asked agent. Its turn runs in the place of the turn that waits, so nothing waits for a free place.
 */
@Injectable()
export class QuestionsService {
  private readonly log: Log;

  constructor(
    private readonly queue: MessageQueueService,
    private readonly claims: MessageClaimsService,
    private readonly sessions: SessionStore,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('agent');
  }

  /** Returns the session of the questions of one session to an agent. */
  sessionOf(session: Session, asked: AgentDefinition): SessionSeed {
    return buildSessionSeed(session.tenant, { channel: QUESTION_CHANNEL, sender: session.id }, asked.id);
  }

  /**
   * Asks, and resolves with the reply. When `signal` aborts because the asking turn ends, the question is cancelled; when
   * it aborts because the turn is run again elsewhere or later, the question stays.
   * @throws GatewayError QUEUE_FULL, STORE_UNAVAILABLE; the reason of `signal`
   */
  async ask(question: Question, signal: AbortSignal): Promise<Reply> {
    const seed = this.sessionOf(question.session, question.asked);
    const leave = this.claims.enterInside(seed.id);
    try {
      const messageRef = await this.submit(question, seed);
      const withdraw = () => this.withdraw(seed.tenant, messageRef, signal);
      signal.addEventListener('abort', withdraw, { once: true });
      try {
        return await this.waitForReply(seed.id, messageRef, signal);
      } finally {
        signal.removeEventListener('abort', withdraw);
      }
    } finally {
      leave();
    }
  }

  /** Stores the question, unless an earlier run of the call has. Returns its message's ref. */
  private async submit(
    { callId, session, asker, text, chain, permissions }: Question,
    seed: SessionSeed,
  ): Promise<string> {
    const client: ClientKey = clientOf(seed.tenant, asker.id);
    const messageId = `ask:${callId}`;
    // The permissions of the asker may have changed since: another body under the same id would be a conflict.
    const earlier = await this.queue.findMessage({ by: 'id', client, messageId });
    if (earlier) return earlier.messageRef;
    const facts: QuestionFacts = { chain, permissions };
    const { messageRef } = await this.queue.enqueue({
      client,
      messageId,
      session: seed,
      namesSession: false,
      payload: { channel: QUESTION_CHANNEL, sender: session.id, content: text, metadata: { ...facts } },
      isAddressed: true,
      priority: 1,
      receivedAt: this.clock.now(),
    });
    return messageRef;
  }

  private async waitForReply(sessionId: string, messageRef: string, signal: AbortSignal): Promise<Reply> {
    for (;;) {
      const { messages } = await this.sessions.readHistory(sessionId, NEWEST);
      const reply = messages.find((message) => message.messageRef === messageRef)?.reply;
      if (reply) return reply;
      signal.throwIfAborted();
      if (!(await this.claims.runInside(sessionId))) await this.clock.sleep(LOOK_AGAIN_MS, signal);
    }
  }

  private withdraw(tenant: string, messageRef: string, { reason }: AbortSignal): void {
    const later: readonly unknown[] = ['draining', 'lease_lost'] satisfies StopReason[];
    if (later.includes(reason)) return;
    this.queue.cancel({ by: 'ref', tenant, messageRef }).catch((error: unknown) => {
      this.log.warn({ error, message_ref: messageRef }, 'a question could not be cancelled; its answer is not read');
    });
  }
}
