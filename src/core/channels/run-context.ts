import type { AccountLease, ChannelStore } from '../store/index.js';
import type { Log } from '../telemetry/logs.js';
import type { Span } from '../telemetry/tracing.js';
import type { Clock } from '../time/clock.js';
import type { AccountPace } from './account-pace.js';
import type { CommonAccountSettings } from './account-settings.js';
import type { CallsUnderWay } from './calls-under-way.js';
import type { Capabilities, Driver } from './driver.js';
import type { LateFailures } from './outbound/late-failures.js';
import type { MovedChats } from './inbound/moved-chats.js';
import type { Persistence } from './persistence.js';

/** A run of an account, as its parts use it. */
export interface RunContext {
  /** The account by its name in messages. */
  readonly channel: string;
  readonly lease: AccountLease;
  readonly driver: Driver;
  readonly capabilities: Capabilities;
  /** The current settings. */
  readonly settings: CommonAccountSettings;
  readonly store: ChannelStore;
  readonly persistence: Persistence;
  readonly moved: MovedChats;
  readonly failures: LateFailures;
  readonly pace: AccountPace;
  readonly calls: CallsUnderWay;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the run ends. */
  readonly signal: AbortSignal;
  /** Returns the text of a failure without secrets. Applied before a reason is stored or shown. */
  hideSecrets(text: string): string;
  /** Counts the fate of a part. */
  count(outcome: PartOutcome): void;
  /** Starts the span of a delivery; absent, or without one, if no traces are made. */
  readonly traceDelivery?: TraceDelivery | undefined;
  /** Ends the run, because it cannot go on. */
  fail(error: unknown): void;
}

/** Starts the span of a delivery of the reply to a message, in the trace of the message. Never rejects. */
export type TraceDelivery = (messageRef: string) => Promise<Span> | undefined;

/** `possibly_twice`: sent again although the platform may have it. `dead`: given up. */
export const PART_OUTCOMES = ['sent', 'possibly_twice', 'dead'] as const;
export type PartOutcome = (typeof PART_OUTCOMES)[number];
