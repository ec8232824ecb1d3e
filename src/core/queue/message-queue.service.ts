import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { LogWriterService } from '../delivery/log-writer.service.js';
import {
  QueueStore,
  type AcceptedMessage,
  type AcceptOutcome,
  type CancelOutcome,
  type CancelSelector,
  type Done,
  type MessageSelector,
  type NewMessage,
  type QueueLimits,
  type StoredMessage,
} from '../store/index.js';
import { QuotasService, type Admission } from '../limits/quotas.service.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { countEach, Metrics, type Counter } from '../telemetry/metrics.js';
import { isFiring } from '../sessions/firing.js';
import { promised } from '../store/done.js';
import { MessageClaimsService } from './message-claims.service.js';
import { QueueRulesService } from './queue-rules.service.js';

const LIMIT_SETTINGS = {
  perSession: 'queue.max_per_session',
  perClient: 'queue.max_per_client',
  total: 'queue.max_total',
  perTenant: 'quotas.queued of the tenant',
} as const satisfies Record<keyof QueueLimits, string>;

type RulingListener = (tenant: string, approvalId: string) => void;
type AcceptListener = (message: NewMessage, accepted: AcceptedMessage) => void;

const OUTCOMES = ['queued', 'observed', 'duplicate', 'conflict', 'full', 'nothing_to_supersede'] as const;

const NOT_SUPERSEDABLE = {
  pointer: '/supersedes',
  message: 'must name an ended or waiting message of the same sender in the same session',
};

/**
 * The chapter's Message Queue: accepts messages durably and cancels them. {@link MessageClaimsService} passes them on,
 * one at a time per session, by priority.
 */
@Injectable()
export class MessageQueueService {
  private readonly log: Log;
  private readonly counted: Readonly<Record<(typeof OUTCOMES)[number], Counter>>;

  private readonly rulingListeners: RulingListener[] = [];
  private readonly acceptListeners: AcceptListener[] = [];
  private readonly interruptListeners: ((messageRef: string) => void)[] = [];

  // oxlint-disable-next-line max-params -- what a message meets on its way into the queue, each its own service
  constructor(
    private readonly messages: QueueStore,
    private readonly logWriter: LogWriterService,
    private readonly claims: MessageClaimsService,
    private readonly rules: QueueRulesService,
    private readonly quotas: QuotasService,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('queue');
    this.counted = countEach(metrics, {
      name: 'openclaw_messages_total',
      help: 'Messages given to the queue, by what became of them.',
      label: 'outcome',
      values: OUTCOMES,
    });
  }

  /**
   * Stores a message durably, or recognises it as a duplicate.
   * @throws GatewayError QUEUE_FULL, QUOTA_EXCEEDED, IDEMPOTENCY_CONFLICT, STORE_UNAVAILABLE; INVALID_PAYLOAD if it supersedes a message
   *   that it may not
   */
  enqueue(message: NewMessage): Promise<AcceptedMessage> {
    return promised((done) => this.enqueueThen(message, done));
  }

  /** Like {@link enqueue}, with a callback. */
  enqueueThen(message: NewMessage, done: Done<AcceptedMessage>): void {
    const admission = this.quotas.admit(message);
    const limits = this.rules.readLimits(admission?.perTenant);
    // Before the message is stored, so that it is claimed in the commit that accepts it.
    if (message.isAddressed) this.claims.wake();
    this.messages.acceptThen(message, limits, (outcome) => {
      const isQueued = !(outcome instanceof Error) && outcome.kind === 'accepted' && outcome.status === 'queued';
      if (admission && !isQueued) admission.giveBack();
      done(outcome instanceof Error ? outcome : this.take(message, outcome, limits, admission));
    });
  }

  /** Takes the outcome of an accept. Returns the message, or the error of one that was not accepted. */
  private take(
    message: NewMessage,
    outcome: AcceptOutcome,
    limits: QueueLimits,
    admission: Admission | undefined,
  ): AcceptedMessage | GatewayError {
    const { kind } = outcome;
    this.counted[kind === 'accepted' ? (outcome.status === 'observed' ? 'observed' : 'queued') : kind].add();
    if (outcome.kind === 'conflict') return new GatewayError('IDEMPOTENCY_CONFLICT', { id: message.messageId });
    if (outcome.kind === 'full') return this.refuse(outcome.limit, limits, admission);
    if (outcome.kind === 'nothing_to_supersede') {
      return new GatewayError('INVALID_PAYLOAD', { faults: [NOT_SUPERSEDABLE] });
    }
    if (outcome.kind === 'accepted') this.notify(message, outcome);
    if (outcome.ended) this.logWriter.publish([outcome.ended]);
    if (outcome.reply) {
      this.logWriter.publish(outcome.reply);
      if (message.ruling)
        for (const listener of this.rulingListeners) listener(message.client.tenant, message.ruling.approvalId);
      return outcome;
    }
    if (outcome.kind === 'accepted' && outcome.status === 'queued') this.noteQueued(message, outcome);
    return outcome;
  }

  private refuse(limit: keyof QueueLimits, limits: QueueLimits, admission: Admission | undefined): GatewayError {
    if (limit === 'perTenant' && admission?.refusal) {
      this.quotas.countRefusal(admission.refusal);
      return admission.refusal;
    }
    return new GatewayError('QUEUE_FULL', { limit: LIMIT_SETTINGS[limit], allowed: limits[limit] ?? 0 });
  }

  private noteQueued(message: NewMessage, { runningRef }: AcceptedMessage): void {
    if (!message.isAddressed) this.claims.wake();
    // A firing of a job waits its turn.
    const mayInterrupt = runningRef !== undefined && !isFiring(message);
    if (mayInterrupt && this.rules.findBusyPolicy(message.session) === 'interrupt')
      this.interrupt(message.client.tenant, runningRef);
  }

  private notify(message: NewMessage, accepted: AcceptedMessage): void {
    for (const listener of this.acceptListeners) listener(message, accepted);
  }

  /** Calls a listener with each message that was stored just now. It must not throw. */
  onAccepted(listener: AcceptListener): void {
    this.acceptListeners.push(listener);
  }

  /** Calls a listener with an approval when a message that decides on it was stored. It must not throw. */
  onRuling(listener: RulingListener): void {
    this.rulingListeners.push(listener);
  }

  /** Calls a listener with the ref of a running message that another one is about to interrupt. */
  onInterrupt(listener: (messageRef: string) => void): void {
    this.interruptListeners.push(listener);
  }

  /**
   * Cancels messages. Those that run end soon after. Returns undefined when the selector matches no message.
   * @param actor the principal of an administrative change, for the audit trail
   */
  async cancel(selector: CancelSelector, actor?: string): Promise<CancelOutcome | undefined> {
    const outcome = await this.logWriter.cancel(selector, actor);
    if (!outcome) return undefined;
    for (const { messageRef } of outcome.running) this.claims.stop(messageRef, 'cancelled');
    this.claims.wake();
    return outcome;
  }

  /** Returns a message that was accepted, finished or not. */
  findMessage(selector: MessageSelector): Promise<StoredMessage | undefined> {
    return this.messages.findMessage(selector);
  }

  private interrupt(tenant: string, messageRef: string): void {
    for (const listener of this.interruptListeners) listener(messageRef);
    this.cancel({ by: 'ref', tenant, messageRef }).catch((error: unknown) => {
      // The new message is accepted and waits for the turn to end: late, but not lost.
      this.log.warn({ error, message_ref: messageRef }, 'a running turn could not be interrupted');
    });
  }
}
