import { HOUR_MS, DAY_MS } from '../time/clock.js';
import type { CronJob } from '../store/index.js';
import type { Schedule } from './schedule.js';

/** A chat: of a person, or a group or a thread of it. */
export type Chat =
  | { readonly channel: string; readonly sender: string }
  | { readonly channel: string; readonly groupId: string; readonly threadId?: string | undefined };

/** Where a job speaks: in the session of a chat, or in a session of its own for each run. */
export type JobTarget = Chat | { readonly isolated: true; readonly deliverTo?: Chat | undefined };

export const MISFIRES = ['latest', 'skip', 'all'] as const;
export const OVERLAPS = ['skip', 'queue', 'cancel_running'] as const;

/** By whom a job was made: its runs have the rights that its maker has at their time. */
export type JobMaker =
  | { readonly kind: 'operator'; readonly principal: string }
  /** A tool has made it, in a turn of this session for a message of this principal. */
  | { readonly kind: 'session'; readonly principal: string; readonly sessionId: string };

/** The definition of a job. Durations are milliseconds. */
export interface JobDefinition {
  readonly name: string;
  readonly schedule: Schedule;
  readonly target: JobTarget;
  readonly message: string;
  /** The treatment of due times at which the gateway did not run. */
  readonly misfire: (typeof MISFIRES)[number];
  /** A missed due time that is older is not made up for; see {@link graceOf}. */
  readonly graceMs?: number | undefined;
  readonly overlap: (typeof OVERLAPS)[number];
  readonly agent?: string | undefined;
  readonly jitterMs: number;
  readonly timeoutMs?: number | undefined;
  readonly maxRuns?: number | undefined;
  /** Unix milliseconds. */
  readonly expiresAt?: number | undefined;
  readonly retries: number;
  readonly approvalWaitMs: number;
  readonly minIntervalMs: number;
  readonly maker: JobMaker;
}

/** Returns the definition of a stored job. */
export function definitionOf({ definition }: CronJob): JobDefinition {
  return JSON.parse(definition) as JobDefinition;
}

/** Returns how late a due time may still be made up for, in milliseconds. */
export function graceOf({ graceMs, schedule }: JobDefinition): number {
  return graceMs ?? (schedule.kind === 'at' ? DAY_MS : HOUR_MS);
}

/** Returns the chat that people of a job read; undefined for an isolated one without. */
export function chatOf({ target }: JobDefinition): Chat | undefined {
  return 'isolated' in target ? target.deliverTo : target;
}
