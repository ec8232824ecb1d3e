import type { Log } from '../../core/telemetry/logs.js';
import type { Clock } from '../../core/time/clock.js';
import { ProviderDownError } from '../credential-verifier.js';
import { IssuerFault } from './request-json.js';

/** Why something of an issuer cannot be had. */
export interface OutageReason {
  /** When it could not be had for the first time. Unix milliseconds. */
  readonly since: number;
  /** Why it could not be had the last time, and when that was. */
  readonly reason: string;
  readonly lastAt: number;
}

/** The messages of the log when something fails, and when it works again. */
export interface OutageTexts {
  readonly down: string;
  readonly up: string;
}

/** A time in which something of an issuer cannot be had. The log has its beginning, each other reason, and its end. */
export class Outage {
  private last: (OutageReason & { readonly isFault: boolean }) | undefined;

  constructor(
    private readonly issuer: string,
    private readonly texts: OutageTexts,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Undefined while all is well. */
  get current(): OutageReason | undefined {
    if (!this.last) return undefined;
    const { since, reason, lastAt } = this.last;
    return { since, reason, lastAt };
  }

  /** Returns the error of the last failure; undefined while all is well. */
  get error(): ProviderDownError | undefined {
    if (!this.last) return undefined;
    const { reason, isFault } = this.last;
    return new ProviderDownError(`${this.texts.down}: ${reason}`, isFault);
  }

  /** Records a failure. Returns what to throw. */
  fail(cause: unknown): ProviderDownError {
    const reason = (cause as Error).message;
    if (this.last?.reason !== reason) this.log.warn({ issuer: this.issuer, reason }, this.texts.down);
    const lastAt = this.clock.now();
    this.last = { since: this.last?.since ?? lastAt, reason, lastAt, isFault: cause instanceof IssuerFault };
    return this.error as ProviderDownError;
  }

  end(): void {
    if (!this.last) return;
    this.log.info({ issuer: this.issuer, since: this.last.since }, this.texts.up);
    this.last = undefined;
  }
}
