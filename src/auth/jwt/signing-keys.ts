import type { JSONWebKeySet } from 'jose';
import type { Log } from '../../core/telemetry/logs.js';
import type { CancelTimer, Clock } from '../../core/time/clock.js';
import { ProviderDownError, UndecidedError } from '../credential-verifier.js';
import { Outage, type OutageReason, type OutageTexts } from './outage.js';

/** Time for which keys are used after they were fetched, in milliseconds. */
export const KEYS_GOOD_MS = 600_000;
/** Age at which keys are fetched again in the background, in milliseconds. */
const KEYS_REFRESH_MS = KEYS_GOOD_MS / 2;
/** Time between two attempts at least, in milliseconds. */
const KEYS_COOLDOWN_MS = 5_000;
/** Time after a failed attempt until the next one in the background, in milliseconds. */
const RETRY_MS = 30_000;

/** Longest wait for keys of an issuer whose last attempt has failed, in milliseconds. */
const DOWN_WAIT_MS = 1_000;

const TEXTS: OutageTexts = {
  down: 'the keys of the issuer cannot be fetched',
  up: 'the keys of the issuer can be fetched again',
};

/** Why something of an issuer cannot be had. */
export interface IssuerProblem extends Pick<OutageReason, 'since' | 'reason'> {
  readonly issuer: string;
  readonly what: 'keys' | 'tokens';
  /** True if the last ones are too old to be used: credentials of the issuer cannot be checked. */
  readonly isStale: boolean;
}

/**
 * The public keys of an issuer. They are fetched ahead, one attempt at a time, so that they last {@link KEYS_GOOD_MS} from
 * the moment at which the issuer cannot be reached. Of all who need a key that is not known yet, one causes an attempt.
 */
export class SigningKeys {
  private set: JSONWebKeySet | undefined;
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private attempt: Promise<void> | undefined;
  private cancelNext: CancelTimer = () => {};
  private isStopped = false;
  private readonly outage: Outage;

  /**
   * @param issuer for people
   * @param load fetches the keys
   */
  constructor(
    private readonly issuer: string,
    private readonly load: () => Promise<JSONWebKeySet>,
    private readonly clock: Clock,
    log: Log,
  ) {
    this.outage = new Outage(issuer, TEXTS, clock, log);
  }

  /** Why the last attempt has failed; undefined if it has not. */
  get problem(): IssuerProblem | undefined {
    const { current } = this.outage;
    if (!current) return undefined;
    return { issuer: this.issuer, what: 'keys', since: current.since, reason: current.reason, isStale: this.areStale };
  }

  private get areStale(): boolean {
    return this.set === undefined || this.clock.elapsed() - this.fetchedAt >= KEYS_GOOD_MS;
  }

  /** Fetches the keys in the background, now and ahead of time. */
  start(): void {
    void this.refresh().catch(() => {});
  }

  stop(): void {
    this.isStopped = true;
    this.cancelNext();
  }

  /** Returns the keys. The object is another one only if the keys are. @throws ProviderDownError if they are too old */
  async read(): Promise<JSONWebKeySet> {
    if (this.areStale) await this.refreshInTime();
    return this.known();
  }

  /** Checks that the issuer can be asked, unless that was checked a moment ago. @throws ProviderDownError, UndecidedError */
  async confirm(): Promise<void> {
    const error = await this.refresh().catch((failure: unknown) => failure);
    if (error instanceof ProviderDownError) throw error;
    this.known();
  }

  /**
   * Returns the keys after an attempt that began later than `seen` was read.
   * @throws UndecidedError if the last attempt was a moment ago, or has failed
   */
  async readNewer(seen: JSONWebKeySet): Promise<JSONWebKeySet> {
    if (this.set === seen) await this.refresh();
    return this.known();
  }

  private known(): JSONWebKeySet {
    if (this.set === undefined) throw new UndecidedError('the keys of the issuer are not known');
    return this.set;
  }

  /** While the issuer is known to be down, nobody waits long for a response that most likely does not come. */
  private async refreshInTime(): Promise<void> {
    const attempt = this.refresh();
    const { error } = this.outage;
    if (!error) return attempt;
    const done = new AbortController();
    const late = this.clock.sleep(DOWN_WAIT_MS, done.signal).then(() => {
      throw error;
    });
    return Promise.race([attempt, late]).finally(() => done.abort());
  }

  private refresh(): Promise<void> {
    if (this.attempt) return this.attempt;
    const now = this.clock.elapsed();
    if (now - this.triedAt < KEYS_COOLDOWN_MS)
      return Promise.reject(
        this.outage.error ?? new UndecidedError('the keys of the issuer were requested a moment ago'),
      );
    this.triedAt = now;
    return (this.attempt = this.fetch().finally(() => (this.attempt = undefined)));
  }

  private async fetch(): Promise<void> {
    this.cancelNext();
    try {
      const set = await this.load();
      if (JSON.stringify(set) !== JSON.stringify(this.set)) this.set = set;
      this.fetchedAt = this.clock.elapsed();
      this.outage.end();
      this.plan(KEYS_REFRESH_MS);
    } catch (error) {
      this.plan(RETRY_MS);
      throw this.outage.fail(error);
    }
  }

  private plan(delayMs: number): void {
    if (!this.isStopped) this.cancelNext = this.clock.setTimer(delayMs, () => this.start());
  }
}
