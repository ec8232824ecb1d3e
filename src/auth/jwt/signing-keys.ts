import type { JSONWebKeySet } from 'jose';
import type { Log } from '../../core/telemetry/logs.js';
import type { CancelTimer, Clock } from '../../core/time/clock.js';
import { ProviderDownError, UndecidedError } from '../credential-verifier.js';
import { IssuerFault } from './request-json.js';

/** Time for which keys are used after they were fetched, in milliseconds. */
const KEYS_GOOD_MS = 600_000;
/** Age at which keys are fetched again in the background, in milliseconds. */
const KEYS_REFRESH_MS = KEYS_GOOD_MS / 2;
/** Time between two attempts at least, in milliseconds. */
const KEYS_COOLDOWN_MS = 5_000;
/** Time after a failed attempt until the next one in the background, in milliseconds. */
const RETRY_MS = 30_000;

/** Why keys cannot be fetched. */
export interface KeysProblem {
  readonly issuer: string;
  /** Unix milliseconds. */
  readonly since: number;
  readonly reason: string;
  /** True if the last ones are too old to be used: credentials of the issuer cannot be checked. */
  readonly isStale: boolean;
}

/** The first and the last of the attempts that have failed in a row. */
interface Failure extends Pick<KeysProblem, 'since' | 'reason'> {
  readonly isFault: boolean;
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
  private failure: Failure | undefined;

  /**
   * @param issuer for people
   * @param load fetches the keys
   */
  constructor(
    private readonly issuer: string,
    private readonly load: () => Promise<JSONWebKeySet>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Why the last attempt has failed; undefined if it has not. */
  get problem(): KeysProblem | undefined {
    const { issuer, failure } = this;
    return failure && { issuer, since: failure.since, reason: failure.reason, isStale: this.areStale };
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
    if (this.areStale) await this.refresh();
    return this.known();
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

  private refresh(): Promise<void> {
    if (this.attempt) return this.attempt;
    const now = this.clock.elapsed();
    if (now - this.triedAt < KEYS_COOLDOWN_MS)
      return Promise.reject(
        this.failure ? toError(this.failure) : new UndecidedError('the keys of the issuer were requested a moment ago'),
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
      if (this.failure)
        this.log.info(
          { issuer: this.issuer, since: this.failure.since },
          'the keys of the issuer can be fetched again',
        );
      this.failure = undefined;
      this.plan(KEYS_REFRESH_MS);
    } catch (error) {
      const reason = (error as Error).message;
      if (this.failure?.reason !== reason)
        this.log.warn({ issuer: this.issuer, reason }, 'the keys of the issuer cannot be fetched');
      const since = this.failure?.since ?? this.clock.now();
      this.failure = { since, reason, isFault: error instanceof IssuerFault };
      this.plan(RETRY_MS);
      throw toError(this.failure);
    }
  }

  private plan(delayMs: number): void {
    if (!this.isStopped) this.cancelNext = this.clock.setTimer(delayMs, () => this.start());
  }
}

function toError({ reason, isFault }: Failure): ProviderDownError {
  return new ProviderDownError(`the keys of the issuer cannot be fetched: ${reason}`, isFault ? reason : undefined);
}
