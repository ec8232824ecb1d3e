import { Injectable } from '@nestjs/common';
import { Bag, type Placed } from '../cache/bag.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { failpoint } from '../failpoints/failpoint.js';
import { QuotasService } from '../limits/quotas.service.js';
import { follow, POLL_INTERVAL_MS } from '../replicas/follow.js';
import { ReplicaIdentity } from '../replicas/replica-identity.js';
import { QueueStore, Store, type Claim, type Lease } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock, type CancelTimer } from '../time/clock.js';
import { MAX_WAITING_TURNS, TurnSlots } from './turn-slots.js';

/** Why a run has to stop. */
export type StopReason = 'cancelled' | 'lease_lost' | 'draining';

/** Brings claimed messages to their ends. */
export interface ClaimConsumer {
  /** Runs a message. Must not reject. The signal's reason is a {@link StopReason}. */
  run(claim: Claim, stop: AbortSignal): Promise<void>;

  /**
   * Ends a message in one synchronous step and one commit, if it can. Returns false, without any effect, when the message
   * needs a run. Calls `done` after the commit, with false if the message has no end and needs a run after all. Must not
   * throw.
   */
  endNow(claim: Claim, done: (hasEnded: boolean) => void): boolean;
}

/** Time for which a replica may hold a session without renewing its lease, in milliseconds. */
const LEASE_MS = 10_000;
const RENEW_INTERVAL_MS = LEASE_MS / 3;
/** An owner that could not renew for this long stops by itself: another replica may soon own the session. */
const RENEW_TIMEOUT_MS = (LEASE_MS * 2) / 3;

/** A claimed message that has no end yet. */
interface Run extends Placed {
  readonly claim: Claim;
  /** Undefined for a message that {@link ClaimConsumer.endNow} ends: its commit cannot be stopped. */
  controller: AbortController | undefined;
  stopReason: StopReason | undefined;
  renewedAt: number;
  /** Present if something waits for the end. */
  ended?: PromiseWithResolvers<void>;
}

/**
 * Claims waiting messages while there are free slots, passes them to a consumer, and renews the leases of those that
 * run. A message can have two runs at once, when this replica lost its lease and claimed it again. The lease identifies the
 * run.
 */
@Injectable()
export class MessageClaimsService {
  private readonly log: Log;
  private readonly runs = new Bag<Run>();
  private readonly slots: TurnSlots<Run>;
  private consumer: ClaimConsumer | undefined;
  /** True if messages are claimed. */
  private isOpen = false;
  /** True once runs that wait for people are put aside. */
  private isDraining = false;
  private claiming = false;
  private claimAgain = false;
  /** True if the last claim failed. */
  private isFailing = false;
  /** Resolves when nothing runs. */
  private idle: PromiseWithResolvers<void> | undefined;
  private cancelDueTimer: CancelTimer | undefined;
  private readonly stopWatching: (() => void)[] = [];

  // oxlint-disable-next-line max-params -- where messages come from, and how many may run, each its own service
  constructor(
    private readonly messages: QueueStore,
    private readonly store: Store,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    private readonly replica: ReplicaIdentity,
    private readonly quotas: QuotasService,
    logs: Logs,
  ) {
    this.log = logs.for('queue');
    this.slots = new TurnSlots(() => config.get('agent.concurrency'));
  }

  /** Starts to claim messages. At most `agent.concurrency` work at a time. */
  start(consumer: ClaimConsumer): void {
    this.consumer = consumer;
    this.isOpen = true;
    this.isDraining = false;
    this.stopWatching.push(
      this.clock.setRepeating(RENEW_INTERVAL_MS, () => void this.renewLeases()),
      this.config.watch('agent.concurrency', () => this.wake()),
      this.config.watch('tenants', () => this.wake()),
      // Also with one replica: messages that became claimable while the store was unavailable are found by polling only.
      follow(this.store, this.clock, {
        hints: { queue: () => this.wake(), cancel: ({ messageRef }) => this.stop(messageRef, 'cancelled') },
        poll: () => this.wake(),
        always: true,
      }),
    );
    this.wake();
  }

  /** Claims nothing more. Messages that run continue. */
  stopClaiming(): void {
    this.isOpen = false;
    this.cancelDueTimer?.();
  }

  /**
   * Waits until nothing runs, at most `timeoutMs` and until `hurry` aborts. Then stops the runs that are left, and at once
   * those that wait for people: their messages return to the queue without counting as interrupted.
   */
  async drain(timeoutMs: number, hurry: AbortSignal): Promise<void> {
    this.stopClaiming();
    this.isDraining = true;
    this.wake();
    const timeout = new AbortController();
    await Promise.race([this.whenIdle(), this.clock.sleep(timeoutMs, AbortSignal.any([hurry, timeout.signal]))]);
    timeout.abort();
    failpoint('drain.mid');
    for (const run of this.runs.list()) abort(run, 'draining');
    await this.whenIdle();
    for (const stop of this.stopWatching.splice(0)) stop();
  }

  /**
   * Releases a claimed message, so that it can be claimed again after `delayMs`. Never rejects: a lease that cannot be
   * released expires.
   */
  async release(lease: Lease, delayMs = 0): Promise<void> {
    try {
      await this.messages.release(lease, delayMs === 0 ? undefined : this.clock.now() + delayMs);
    } catch (error) {
      this.log.warn({ error, message_ref: lease.messageRef }, 'a turn could not be released; its lease will expire');
    }
  }

  /** Claims as long as there are free slots and messages to run. Turns that wait for a slot again come first. */
  wake(): void {
    this.slots.settle();
    if (this.isDraining) for (const run of this.slots.listWaiting()) abort(run, 'draining');
    if (this.claiming) this.claimAgain = true;
    else {
      this.claiming = true;
      // Deferred, so that all slots that one commit frees are claimed together.
      queueMicrotask(() => void this.claimAll());
    }
  }

  /**
   * Does `work`, during which messages of a session run in the slot of the message `asker`: they take none of their own.
   * Resolves when that message has its slot again, or `signal` aborts.
   */
  async waitInside<T>(sessionId: string, asker: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const leave = this.slots.enterInside(sessionId, asker);
    this.wake();
    try {
      return await work();
    } finally {
      const run = this.runs.find(({ claim }) => claim.lease.messageRef === asker);
      if (run) await this.slots.returnFrom(run, 'a turn inside', signal);
      leave();
      this.wake();
    }
  }

  /**
   * Waits for a person, or for other turns of the tenant, without taking a slot: a claimed message gives its slot back during `wait`, unless
   * {@link MAX_WAITING_TURNS} others wait. Resolves when it has
   * one again, or `signal` aborts.
   */
  async waitOutside<T>(lease: Lease, signal: AbortSignal, wait: () => Promise<T>): Promise<T> {
    const run = this.findLeased(lease);
    if (!run) return wait();
    if (!this.slots.leave(run)) {
      const fields = { message_ref: lease.messageRef, waiting: MAX_WAITING_TURNS };
      this.log.warn(fields, 'a turn waits in its slot, because too many others wait; decide on some approvals');
    }
    this.wake();
    try {
      return await wait();
    } finally {
      await this.slots.returnFrom(run, 'a person', signal);
    }
  }

  /**
   * Runs the next message of a session of {@link waitInside}, also when no slot is free and while running turns finish at the
   * stop. Resolves with true when a run of the session has ended, and with false if none could be started.
   */
  async runInside(sessionId: string): Promise<boolean> {
    let run = this.findRun(sessionId);
    if (!run && this.consumer) {
      const request = { replicaId: this.replica.id, limit: 1, leaseMs: LEASE_MS, sessionId };
      const sentAt = this.clock.elapsed();
      const { claims } = await this.messages.claim(request);
      for (const claim of claims) this.take(claim, sentAt, this.consumer);
      run = this.findRun(sessionId);
      if (!run) return claims.length > 0;
    }
    if (!run) return false;
    run.ended ??= Promise.withResolvers();
    await run.ended.promise;
    return true;
  }

  /** Stops what runs of a message on this replica. */
  stop(messageRef: string, reason: StopReason): void {
    for (const run of this.runs.list()) if (run.claim.lease.messageRef === messageRef) abort(run, reason);
  }

  private async claimAll(): Promise<void> {
    do {
      this.claimAgain = false;
      await this.claimOnce();
    } while (this.claimAgain);
    // In the same tick as the last check of `claimAgain`, so that no call of `wake` is lost.
    this.claiming = false;
  }

  private async claimOnce(): Promise<void> {
    const limit = this.slots.free;
    if (!this.isOpen || !this.consumer || limit <= 0) return;
    const sentAt = this.clock.elapsed();
    this.slots.reserve(limit);
    try {
      const rooms = this.quotas.readRooms(() => this.slots.listTaking().map(({ claim }) => claim.session.tenant));
      const request = { replicaId: this.replica.id, limit, leaseMs: LEASE_MS, ...(rooms && { rooms }) };
      const { claims, nextDueAt } = await this.messages.claim(request);
      this.isFailing = false;
      for (const claim of claims) this.take(claim, sentAt, this.consumer);
      this.wakeAt(nextDueAt);
    } catch (error) {
      // Once for a series: each message that arrives meanwhile tries too.
      if (!this.isFailing) this.log.error({ error }, 'no message could be claimed; trying again in a second');
      this.isFailing = true;
      this.wakeAt(this.clock.now() + POLL_INTERVAL_MS);
    } finally {
      this.slots.reserve(0);
      this.slots.settle();
    }
  }

  private wakeAt(time: number | undefined): void {
    this.cancelDueTimer?.();
    this.cancelDueTimer =
      time === undefined ? undefined : this.clock.setTimer(Math.max(0, time - this.clock.now()), () => this.wake());
  }

  /** `sentAt`: when the claim was sent, from which its lease counts, by {@link Clock.elapsed}. */
  private take(claim: Claim, sentAt: number, consumer: ClaimConsumer): void {
    // A claim that arrives after the drain began is released at once.
    const mayRun = this.isOpen || this.slots.isInside(claim.lease.sessionId);
    const stopReason = claim.cancelRequested ? 'cancelled' : mayRun ? undefined : 'draining';
    const run: Run = { claim, controller: undefined, stopReason, renewedAt: sentAt, place: -1 };
    this.runs.add(run);
    const done = (hasEnded: boolean) => (hasEnded ? this.end(run) : this.run(run, consumer));
    // It takes no slot, since nothing of it is left but its commit. The next claim shares that commit.
    if (stopReason === undefined && consumer.endNow(claim, done)) this.wake();
    else this.run(run, consumer);
  }

  private run(run: Run, consumer: ClaimConsumer): void {
    const { claim, stopReason } = run;
    this.slots.add(run);
    run.controller = new AbortController();
    if (stopReason !== undefined) run.controller.abort(stopReason);
    void consumer
      .run(claim, run.controller.signal)
      .catch((error: unknown) =>
        this.log.error({ error, message_ref: claim.lease.messageRef }, 'a turn ended with an unexpected error'),
      )
      .finally(() => this.end(run));
  }

  private findRun(sessionId: string): Run | undefined {
    return this.runs.find(({ claim }) => claim.lease.sessionId === sessionId);
  }

  /** Each claim of a message raises the epoch of its lease. */
  private findLeased({ messageRef, epoch }: Lease): Run | undefined {
    return this.runs.find(({ claim: { lease } }) => lease.messageRef === messageRef && lease.epoch === epoch);
  }

  private end(run: Run): void {
    this.runs.delete(run);
    this.slots.remove(run);
    run.ended?.resolve();
    if (this.runs.size === 0) this.idle?.resolve();
    this.wake();
  }

  private async whenIdle(): Promise<void> {
    if (this.runs.size === 0) return;
    this.idle = Promise.withResolvers();
    await this.idle.promise;
  }

  private async renewLeases(): Promise<void> {
    // Not only when a renewal fails: a shared store that cannot be reached may answer nothing for minutes.
    if (this.store.isShared) this.stopOverdue();
    const runs = this.runs.list();
    if (runs.length === 0) return;
    // A lease counts from when the store took its renewal, which is never before it was sent.
    const sentAt = this.clock.elapsed();
    try {
      const { lost, cancelRequested } = await this.messages.renew(
        runs.map((run) => run.claim.lease),
        LEASE_MS,
      );
      for (const run of runs) run.renewedAt = sentAt;
      for (const lease of lost) this.stopRun(lease, 'lease_lost');
      for (const lease of cancelRequested) this.stopRun(lease, 'cancelled');
    } catch (error) {
      this.log.warn({ error }, 'the leases could not be renewed');
      this.stopOverdue();
    }
  }

  private stopOverdue(): void {
    const now = this.clock.elapsed();
    for (const run of this.runs.list()) if (now - run.renewedAt >= RENEW_TIMEOUT_MS) abort(run, 'lease_lost');
  }

  private stopRun(lease: Lease, reason: StopReason): void {
    const run = this.findLeased(lease);
    if (run) abort(run, reason);
  }
}

function abort(run: Run, reason: StopReason): void {
  run.stopReason ??= reason;
  run.controller?.abort(reason);
}
