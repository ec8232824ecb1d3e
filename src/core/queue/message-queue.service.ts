import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { DeliveryService } from '../delivery/delivery.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { follow, POLL_EVERY_MS } from '../replicas/follow.js';
import { ReplicaIdentity } from '../replicas/replica-identity.js';
import {
  QueueStore,
  Store,
  type AcceptedMessage,
  type CancelOutcome,
  type CancelSelector,
  type Claim,
  type Lease,
  type MessageSelector,
  type NewMessage,
  type QueueLimits,
  type StoredMessage,
} from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { bindEach, Metrics, type Counter } from '../telemetry/metrics.js';
import { Clock, type CancelTimer } from '../time/clock.js';
import { findBusyPolicy } from './busy-policy.js';

/** Why a running turn is told to stop. */
export type StopReason = 'cancelled' | 'lease_lost' | 'draining';

/** Runs one claimed message to its end. Must not reject. The signal's reason is a {@link StopReason}. */
export type ClaimConsumer = (claim: Claim, signal: AbortSignal) => Promise<void>;

/** How long a replica may hold a session without a sign of life, in milliseconds. */
const LEASE_MS = 10_000;
const RENEW_EVERY_MS = LEASE_MS / 3;
/** An owner that could not renew for this long stops by itself: soon somebody else may own the session. */
const GIVE_UP_AFTER_MS = (LEASE_MS * 2) / 3;

const LIMIT_SETTINGS = {
  perSession: 'queue.max_per_session',
  perClient: 'queue.max_per_client',
  total: 'queue.max_total',
} as const satisfies Record<keyof QueueLimits, string>;

interface RunningTurn {
  readonly claim: Claim;
  readonly controller: AbortController;
  readonly ended: Promise<void>;
  renewedAt: number;
}

/**
 * The chapter's Message Queue: takes messages in durably, hands them out one at a time per session by priority, and keeps
 * the leases of those that run. It knows no agent: whoever runs turns consumes it.
 */
@Injectable()
export class MessageQueueService {
  private readonly log: Log;
  private readonly running = new Map<string, RunningTurn>();
  private consumer: ClaimConsumer | undefined;
  /** Whether new messages are handed out. */
  private isOpen = false;
  private claiming = false;
  private claimAgain = false;
  private cancelDueTimer: CancelTimer | undefined;
  private readonly stopWatching: (() => void)[] = [];
  private readonly counted: Readonly<Record<'queued' | 'observed' | 'duplicate' | 'conflict' | 'full', Counter>>;

  constructor(
    private readonly messages: QueueStore,
    private readonly store: Store,
    private readonly delivery: DeliveryService,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly replica: ReplicaIdentity,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('queue');
    const accepts = metrics.counter({
      name: 'openclaw_messages_total',
      help: 'Messages given to the queue, by what became of them.',
      labels: ['outcome'],
    });
    this.counted = bindEach(accepts, 'outcome', ['queued', 'observed', 'duplicate', 'conflict', 'full']);
  }

  /**
   * Stores a message durably, or recognises it.
   * @throws GatewayError QUEUE_FULL, IDEMPOTENCY_CONFLICT, STORE_UNAVAILABLE
   */
  async enqueue(message: NewMessage): Promise<AcceptedMessage> {
    const limits = this.readLimits();
    const outcome = await this.messages.accept(message, limits);
    const { kind } = outcome;
    this.counted[kind === 'accepted' ? (outcome.status === 'observed' ? 'observed' : 'queued') : kind].add();
    if (outcome.kind === 'conflict') throw new GatewayError('IDEMPOTENCY_CONFLICT', { id: message.messageId });
    if (outcome.kind === 'full') {
      throw new GatewayError('QUEUE_FULL', { limit: LIMIT_SETTINGS[outcome.limit], allowed: limits[outcome.limit] });
    }
    if (outcome.kind === 'accepted' && outcome.status === 'queued') {
      this.wake();
      if (outcome.runningRef !== undefined && findBusyPolicy(this.config, message.session) === 'interrupt') {
        this.interrupt(message.client.tenant, outcome.runningRef);
      }
    }
    return outcome;
  }

  /** Cancels messages; undefined when the selector names none. Those that run end soon after. */
  async cancel(selector: CancelSelector): Promise<CancelOutcome | undefined> {
    const outcome = await this.messages.cancel(selector, this.clock.now());
    if (!outcome) return undefined;
    if (outcome.ended.length > 0) this.delivery.publish(outcome.ended);
    for (const { messageRef } of outcome.running) this.stopRunning(messageRef, 'cancelled');
    this.wake();
    return outcome;
  }

  /** A message that was accepted, finished or not. */
  findMessage(selector: MessageSelector): Promise<StoredMessage | undefined> {
    return this.messages.findMessage(selector);
  }

  /** Starts handing out messages, at most `agent.concurrency` at a time. */
  start(consumer: ClaimConsumer): void {
    this.consumer = consumer;
    this.isOpen = true;
    this.stopWatching.push(
      this.clock.setRepeating(RENEW_EVERY_MS, () => void this.renewLeases()),
      this.config.watch('agent.concurrency', () => this.wake()),
      // Also with one replica: messages that became claimable while the store was unavailable are found by polling only.
      follow(this.store, this.clock, {
        hints: { queue: () => this.wake(), cancel: ({ messageRef }) => this.stopRunning(messageRef, 'cancelled') },
        poll: () => this.wake(),
        always: true,
      }),
    );
    this.wake();
  }

  /** Hands out nothing new. What runs goes on. */
  stopClaiming(): void {
    this.isOpen = false;
    this.cancelDueTimer?.();
  }

  /**
   * Waits until nothing runs, at most `timeoutMs` (and no longer than `hurry` allows); what still runs then is told to
   * stop and given back to the queue, without counting as interrupted.
   */
  async drain(timeoutMs: number, hurry: AbortSignal): Promise<void> {
    this.stopClaiming();
    const ended = () => Promise.allSettled([...this.running.values()].map((turn) => turn.ended));
    const timeout = new AbortController();
    await Promise.race([ended(), this.clock.sleep(timeoutMs, AbortSignal.any([hurry, timeout.signal]))]);
    timeout.abort();
    failpoint('drain.mid');
    for (const turn of this.running.values()) turn.controller.abort('draining' satisfies StopReason);
    await ended();
    for (const stop of this.stopWatching.splice(0)) stop();
  }

  /**
   * Releases a claimed message, so that the session's next owner can begin at once, or not before `notBefore` (Unix
   * milliseconds). Never rejects: a lease that cannot be released expires.
   */
  async release(lease: Lease, notBefore?: number): Promise<void> {
    try {
      await this.messages.release(lease, notBefore);
    } catch (error) {
      this.log.warn({ error, message_ref: lease.messageRef }, 'a turn could not be released; its lease will expire');
    }
  }

  private readLimits(): QueueLimits {
    return {
      perSession: this.config.get('queue.max_per_session'),
      perClient: this.config.get('queue.max_per_client'),
      total: this.config.get('queue.max_total'),
    };
  }

  private interrupt(tenant: string, messageRef: string): void {
    this.cancel({ by: 'ref', tenant, messageRef }).catch((error: unknown) => {
      // The newcomer is acknowledged and waits its turn instead: late, but not lost.
      this.log.warn({ error, message_ref: messageRef }, 'a running turn could not be interrupted');
    });
  }

  private stopRunning(messageRef: string, reason: StopReason): void {
    this.running.get(messageRef)?.controller.abort(reason);
  }

  /** Claims as long as there are free places and messages to run. */
  private wake(): void {
    if (this.claiming) {
      this.claimAgain = true;
      return;
    }
    void this.claimAll();
  }

  private async claimAll(): Promise<void> {
    this.claiming = true;
    do {
      this.claimAgain = false;
      await this.claimOnce();
    } while (this.claimAgain);
    // In the same breath as the last look at `claimAgain`: no call to wake is lost.
    this.claiming = false;
  }

  private async claimOnce(): Promise<void> {
    const limit = this.config.get('agent.concurrency') - this.running.size;
    if (!this.isOpen || !this.consumer || limit <= 0) return;
    try {
      const { claims, nextDueAt } = await this.messages.claim({ replicaId: this.replica.id, limit, leaseMs: LEASE_MS });
      for (const claim of claims) this.run(claim, this.consumer);
      this.wakeAt(nextDueAt);
    } catch (error) {
      this.log.error({ error }, 'no message could be claimed; trying again in a second');
      this.wakeAt(this.clock.now() + POLL_EVERY_MS);
    }
  }

  private wakeAt(time: number | undefined): void {
    this.cancelDueTimer?.();
    this.cancelDueTimer =
      time === undefined ? undefined : this.clock.setTimer(Math.max(0, time - this.clock.now()), () => this.wake());
  }

  private run(claim: Claim, consume: ClaimConsumer): void {
    const controller = new AbortController();
    if (claim.cancelRequested) controller.abort('cancelled' satisfies StopReason);
    // A claim that arrives after the drain began is released at once.
    if (!this.isOpen) controller.abort('draining' satisfies StopReason);
    const ref = claim.message.messageRef;
    const ended = consume(claim, controller.signal)
      .catch((error: unknown) => this.log.error({ error, message_ref: ref }, 'a turn ended with an unexpected error'))
      .finally(() => {
        this.running.delete(ref);
        this.wake();
      });
    this.running.set(ref, { claim, controller, ended, renewedAt: this.clock.now() });
  }

  private async renewLeases(): Promise<void> {
    const turns = [...this.running.values()];
    if (turns.length === 0) return;
    try {
      const { lost, cancelRequested } = await this.messages.renew(
        turns.map((turn) => turn.claim.lease),
        LEASE_MS,
      );
      const now = this.clock.now();
      for (const turn of turns) turn.renewedAt = now;
      for (const lease of lost) this.stopRunning(lease.messageRef, 'lease_lost');
      for (const lease of cancelRequested) this.stopRunning(lease.messageRef, 'cancelled');
    } catch (error) {
      this.log.warn({ error }, 'the leases could not be renewed');
      const now = this.clock.now();
      for (const turn of turns) {
        if (now - turn.renewedAt >= GIVE_UP_AFTER_MS) turn.controller.abort('lease_lost' satisfies StopReason);
      }
    }
  }
}
