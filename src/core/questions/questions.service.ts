import { Injectable } from '@nestjs/common';
import { GatewayError, type ToolCallStatus, type ToolStatusPayload } from '../../protocol/domain.js';
import type { AgentDefinition } from '../agents/agent-definition.js';
import { MessageClaimsService, type StopReason } from '../queue/message-claims.service.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { QUESTION_CHANNEL } from '../sessions/question-channel.js';
import { buildSessionSeed } from '../sessions/session-key.js';
import { SessionStore, type ClientKey, type Reply, type Session, type SessionSeed } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import type { Trace } from '../telemetry/traceparent.js';
import { Clock } from '../time/clock.js';
import { clientOf, type QuestionFacts } from './question.js';

/** Pause before a question that another run has is looked at again, in milliseconds. */
const LOOK_AGAIN_MS = 250;
/** Pause before an answer that could not be read is looked for again, in milliseconds. */
const RETRY_DELAY_MS = 1_000;
/** States of a call in which more follows. */
const OPEN: readonly ToolCallStatus[] = ['awaiting_approval', 'running'];
const ENDED = 'the agent that was asked has ended';

/** Number of newest messages of the session that are searched for the question: only a few can be newer. */
const NEWEST = 20;

/** The state of a call of an asked agent, without the names of the message in whose session it is shown. */
export type CallStatus = Omit<ToolStatusPayload, 'message_id' | 'message_ref'>;

/** Shows a call of an asked agent to the person. Resolves when that is durable. */
export type ShowCall = (status: CallStatus) => Promise<void>;

/** A question of one agent to another. */
export interface Question extends QuestionFacts {
  /** The ID of the call that asks: a repeat after a crash finds the question by it. */
  readonly callId: string;
  /** The session and the message of the asking turn. */
  readonly session: Session;
  readonly messageRef: string;
  readonly asker: AgentDefinition;
  readonly asked: AgentDefinition;
  readonly text: string;
  /** Shows calls of the asked agent that need an approval. */
  readonly show: ShowCall;
  /** The trace context of the call; undefined if no traces are made. */
  readonly trace?: Trace | undefined;
}

/**
 * Lets the turn of one agent wait for the answer of another. The question is a message in a session of the asking session
 * and the asked agent. Its turn runs in the slot of the turn that waits, so nothing waits for a free slot.
 */
@Injectable()
export class QuestionsService {
  private readonly log: Log;
  /** By message of a question: the turn that waits for its answer. */
  private readonly askers = new Map<string, ShowCall>();
  /** By message of a question: its run waits for the asking turn, which was interrupted and will run again. */
  private readonly arrivals = new Map<string, PromiseWithResolvers<void>>();

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
    return this.claims.waitInside(seed.id, question.messageRef, signal, async () => {
      const messageRef = await this.submit(question, seed);
      const withdraw = () => this.withdrawLater(seed.tenant, messageRef, signal);
      signal.addEventListener('abort', withdraw, { once: true });
      const leave = this.enter(messageRef, question.show);
      try {
        return await this.waitForReply(seed.id, messageRef, signal);
      } finally {
        signal.removeEventListener('abort', withdraw);
        await leave();
      }
    });
  }

  /**
   * Shows a call of an asked agent in the session of the person. One that waits for an approval is shown as soon as a
   * turn waits for the answer; any other state is dropped when none does, or when `signal` aborts.
   */
  async show(messageRef: string, status: CallStatus, signal: AbortSignal): Promise<void> {
    if (status.status === 'awaiting_approval') await this.untilAsked(messageRef, signal);
    const show = this.askers.get(messageRef);
    if (signal.aborted || !show) return;
    await show(status).catch((error: unknown) => {
      this.log.debug({ error, message_ref: messageRef }, 'a call of an asked agent is not shown; its asker has ended');
    });
  }

  /** Cancels the questions that a turn has asked with these calls and that are not answered, before the turn ends. */
  async withdraw(session: Session, callIds: readonly string[]): Promise<void> {
    const client = clientOf(session.tenant, session.agent);
    await Promise.all(callIds.map((callId) => this.queue.cancel({ by: 'id', client, messageId: messageIdOf(callId) })));
  }

  /** Lets the calls of an asked agent be shown, until the returned function is called. That one ends those that are open. */
  private enter(messageRef: string, show: ShowCall): () => Promise<void> {
    const open = new Map<string, CallStatus>();
    const showCall: ShowCall = async (status) => {
      if (OPEN.includes(status.status)) open.set(status.call_id, status);
      else open.delete(status.call_id);
      await show(status);
    };
    this.askers.set(messageRef, showCall);
    this.arrivals.get(messageRef)?.resolve();
    return async () => {
      if (this.askers.get(messageRef) === showCall) this.askers.delete(messageRef);
      for (const { call_id, tool, agent } of open.values())
        await show({ call_id, tool, ...(agent !== undefined && { agent }), status: 'denied', detail: ENDED }).catch(
          () => {},
        );
    };
  }

  private async untilAsked(messageRef: string, signal: AbortSignal): Promise<void> {
    if (this.askers.has(messageRef) || signal.aborted) return;
    const arrival = this.arrivals.get(messageRef) ?? Promise.withResolvers<void>();
    this.arrivals.set(messageRef, arrival);
    const giveUp = () => arrival.resolve();
    signal.addEventListener('abort', giveUp, { once: true });
    await arrival.promise;
    signal.removeEventListener('abort', giveUp);
    if (this.arrivals.get(messageRef) === arrival) this.arrivals.delete(messageRef);
  }

  /** Stores the question, unless an earlier run of the call has. Returns its message's ref. */
  private async submit(
    { callId, session, asker, text, chain, permissions, personal, trace }: Question,
    seed: SessionSeed,
  ): Promise<string> {
    const client: ClientKey = clientOf(seed.tenant, asker.id);
    const messageId = messageIdOf(callId);
    // The permissions of the asker may have changed since: another body under the same id would be a conflict.
    const earlier = await this.queue.findMessage({ by: 'id', client, messageId });
    if (earlier) return earlier.messageRef;
    const facts: QuestionFacts = { chain, permissions, personal };
    const { messageRef } = await this.queue.enqueue({
      client,
      messageId,
      session: seed,
      namesSession: false,
      payload: { channel: QUESTION_CHANNEL, sender: session.id, content: text, metadata: { ...facts } },
      isAddressed: true,
      priority: 1,
      receivedAt: this.clock.now(),
      trace,
    });
    return messageRef;
  }

  private async waitForReply(sessionId: string, messageRef: string, signal: AbortSignal): Promise<Reply> {
    for (;;) {
      try {
        const { messages } = await this.sessions.readHistory(sessionId, NEWEST);
        const reply = messages.find((message) => message.messageRef === messageRef)?.reply;
        if (reply) return reply;
        signal.throwIfAborted();
        if (!(await this.claims.runInside(sessionId))) await this.clock.sleep(LOOK_AGAIN_MS, signal);
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE')) throw error;
        // The question stays open, with the approvals that it waits for: only its answer may end the wait.
        this.log.warn({ error, message_ref: messageRef }, 'the answer to a question cannot be read; trying again');
        await this.clock.sleep(RETRY_DELAY_MS, signal);
        signal.throwIfAborted();
      }
    }
  }

  private withdrawLater(tenant: string, messageRef: string, { reason }: AbortSignal): void {
    const later: readonly unknown[] = ['draining', 'lease_lost'] satisfies StopReason[];
    if (later.includes(reason)) return;
    this.queue.cancel({ by: 'ref', tenant, messageRef }).catch((error: unknown) => {
      this.log.warn({ error, message_ref: messageRef }, 'a question could not be cancelled; its answer is not read');
    });
  }
}

function messageIdOf(callId: string): string {
  return `ask:${callId}`;
}
