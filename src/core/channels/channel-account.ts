import { Backoff } from './kit/backoff.js';
import { AccountRun, type AccountParts, type MadeDriver } from './account-run.js';
import { DriverError } from './driver.js';
import { LostLeaseError } from './persistence.js';
import type { AccountLease, OutboxPart } from '../store/index.js';

/** Time for which a replica holds an account without renewing it, in milliseconds. */
const ACCOUNT_LEASE_MS = 9_000;
/** Pause before an account that only a person can repair is tried again, in milliseconds. */
const REPAIR_WAIT_MS = 600_000;
/** A run that lasted this long was a success: the next failure is tried again soon, in milliseconds. */
const STABLE_MS = 60_000;
/** Time for replies to reach the platform at the stop, in milliseconds. */
const FLUSH_MS = 5_000;

/** An account that has been without a connection for longer is broken, in milliseconds. */
const DOWN_MS = 60_000;

const ELSEWHERE = 'another replica runs it';

/** The states of an account's connection to its platform. */
export const ACCOUNT_STATES = ['connecting', 'connected', 'degraded', 'disconnected', 'error', 'stopped'] as const;

/** The state of an account's connection to its platform. */
export interface AccountState {
  readonly state: (typeof ACCOUNT_STATES)[number];
  /** For the operator; why it is not connected, or works in part only. */
  readonly reason?: string;
  /** Unix milliseconds. */
  readonly since: number;
}

/**
 * Keeps one account running: takes its lease, runs its driver, and starts another run after a failure. Trouble of one
 * account touches no other account and never the process.
 */
export class ChannelAccount {
  private current: AccountState;
  /** Since when it has not been connected, by the monotonic clock; undefined while it is, or is stopped. */
  private downSince: number | undefined;
  /** Aborts when nothing new may be taken from the platform. */
  private readonly intake = new AbortController();
  private readonly stopping = new AbortController();
  private run: AccountRun | undefined;
  /** Why it works in part only. */
  private trouble: string | undefined;
  private done: Promise<void> | undefined;

  constructor(
    private readonly parts: AccountParts,
    private readonly owner: string,
    private readonly makeDriver: () => Promise<MadeDriver>,
  ) {
    this.current = { state: 'stopped', since: parts.clock.now() };
  }

  get state(): AccountState {
    return this.current;
  }

  /** True when people cannot reach the agent here: it needs a repair, or has not been connected for a minute. */
  get isBroken(): boolean {
    if (this.current.state === 'error') return true;
    return this.downSince !== undefined && this.parts.clock.elapsed() - this.downSince > DOWN_MS;
  }

  /** True once it was stopped: another one takes its place. */
  get isStopped(): boolean {
    return this.stopping.signal.aborted;
  }

  start(): void {
    this.done = this.supervise();
  }

  /** Takes nothing new from the platform. Replies still go out. */
  stopIntake(): void {
    this.intake.abort();
  }

  /** Delivers what was answered, for a limited time, and disconnects. */
  async stop(): Promise<void> {
    const { clock } = this.parts;
    const patience = new AbortController();
    this.stopIntake();
    await Promise.race([this.run?.whenDelivered(), clock.sleep(FLUSH_MS, patience.signal)]);
    patience.abort();
    this.stopping.abort();
    this.run?.fail(new Error('the account is stopped'));
    await this.done;
  }

  /** Stores a note and sends it. Resolves with false when the account is not connected. @throws LostLeaseError */
  async addNote(note: OutboxPart): Promise<boolean> {
    const { state } = this.current;
    if (!this.run || (state !== 'connected' && state !== 'degraded')) return false;
    await this.run.addNote(note);
    return true;
  }

  /** Notes that a sender was put out. */
  forgetSender(sender: string): void {
    this.run?.forgetSender(sender);
  }

  /** Sends a note that is stored. Without a run, the next one does. */
  sendNote(note: OutboxPart): void {
    this.run?.sendNote(note);
  }

  private async supervise(): Promise<void> {
    const { clock, channel, log } = this.parts;
    const { signal } = this.stopping;
    const backoff = new Backoff(clock, signal);
    while (!signal.aborted) {
      const startedAt = clock.elapsed();
      const error = await this.runOnce();
      if (signal.aborted) break;
      if (clock.elapsed() - startedAt > STABLE_MS) backoff.reset();
      const needsRepair =
        error instanceof DriverError && (error.fault === 'bad_credential' || error.fault === 'conflict');
      this.become(error instanceof DriverError && error.fault !== 'unreachable' ? 'error' : 'disconnected', error);
      log[needsRepair ? 'error' : 'warn']({ channel, error }, 'a channel is not connected; it is tried again');
      await (needsRepair ? clock.sleep(REPAIR_WAIT_MS, signal) : backoff.wait());
    }
    this.become('stopped');
  }

  /** Runs the driver until its run ends. Resolves with the reason; never rejects. */
  private async runOnce(): Promise<unknown> {
    const { signal } = this.stopping;
    let lease: AccountLease | undefined;
    let keep: (() => void) | undefined;
    try {
      lease = await this.takeLease();
      if (!lease) return undefined;
      this.become('connecting');
      this.trouble = undefined;
      const run = (this.run = new AccountRun(this.parts, await this.makeDriver(), lease, (trouble) =>
        this.noteHealth(trouble),
      ));
      if (signal.aborted) return undefined;
      keep = this.keepLease(run, lease);
      const failed = await Promise.race([run.start(this.intake.signal), run.failed.then((error) => ({ error }))]);
      if (failed) return failed.error;
      this.become(this.trouble === undefined ? 'connected' : 'degraded', this.trouble);
      run.report('connected');
      return await run.failed;
    } catch (error) {
      return error;
    } finally {
      keep?.();
      await this.run?.end();
      this.run = undefined;
      if (lease) await this.release(lease);
    }
  }

  /** Waits while another replica holds the account. Resolves with undefined when the account is stopped meanwhile. */
  private async takeLease(): Promise<AccountLease | undefined> {
    const { store, channel, clock } = this.parts;
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const lease = await store.takeAccount(channel, this.owner, ACCOUNT_LEASE_MS);
      if (lease) return lease;
      if (this.current.reason !== ELSEWHERE) this.become('stopped', new Error(ELSEWHERE));
      await clock.sleep(ACCOUNT_LEASE_MS / 3, signal);
    }
    return undefined;
  }

  /** Renews the lease until the returned function is called. A run that cannot renew it in time ends. */
  private keepLease(run: AccountRun, lease: AccountLease): () => void {
    const { store, channel, clock } = this.parts;
    let renewedAt = clock.elapsed();
    const renew = async () => {
      const askedAt = clock.elapsed();
      try {
        const renewed = await store.takeAccount(channel, this.owner, ACCOUNT_LEASE_MS);
        if (renewed?.epoch !== lease.epoch) run.fail(new LostLeaseError('the lease of the account is lost'));
        renewedAt = askedAt;
      } catch (error) {
        if (clock.elapsed() - renewedAt > (ACCOUNT_LEASE_MS * 2) / 3) run.fail(error);
      }
    };
    return clock.setRepeating(ACCOUNT_LEASE_MS / 3, () => void renew());
  }

  private async release(lease: AccountLease): Promise<void> {
    const { store, channel, log } = this.parts;
    try {
      await store.releaseAccount(lease);
    } catch (error) {
      log.warn({ error, channel }, 'the lease of a channel could not be released; it expires');
    }
  }

  /** Notes why the account works in part only; undefined when it works. */
  private noteHealth(trouble: string | undefined): void {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    const { state } = this.current;
    if (state === 'connected' || state === 'degraded')
      this.become(trouble === undefined ? 'connected' : 'degraded', trouble);
  }

  private become(state: AccountState['state'], why?: unknown): void {
    const isDown = state === 'connecting' || state === 'disconnected' || state === 'error';
    this.downSince = isDown ? (this.downSince ?? this.parts.clock.elapsed()) : undefined;
    const reason = why instanceof Error ? why.message : typeof why === 'string' ? why : undefined;
    this.current = {
      state,
      ...(reason !== undefined && { reason: this.parts.hideSecrets(reason) }),
      since: this.parts.clock.now(),
    };
  }
}
