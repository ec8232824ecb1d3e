import type { AuditNote } from './audit.store.js';
import type { ClientKey, Json } from './records.js';

/** A job of the cron scheduler. Times are Unix milliseconds. */
export interface CronJob {
  readonly jobId: string;
  readonly tenant: string;
  /** The person whose jobs are counted together. */
  readonly owner: string;
  /** The name of the event that starts it, if one does. */
  readonly event?: string | undefined;
  readonly isEnabled: boolean;
  /** The definition of the job; the store does not read it. */
  readonly definition: Json;
  /** Grows with each change of a person, so that two changes at once are noticed. */
  readonly version: number;
  /** Counts the changes of schedule, zone and anchor. */
  readonly revision: number;
  /** The later of the last due time and the last change of schedule, zone, anchor or `isEnabled`. */
  readonly base: number;
  readonly lastDue?: number | undefined;
  /** The first due time after {@link base}. Like {@link wakeAt} undefined when the job is disabled or never due again. */
  readonly nextDue?: number | undefined;
  /** When the scheduler has to look at it: {@link nextDue} with its jitter. */
  readonly wakeAt?: number | undefined;
  /** Number of its starts, without those that a person asked for. */
  readonly firings: number;
  /** Runs that have failed since the last success. */
  readonly failures: number;
  /** When its failures were last reported; undefined when they were not. */
  readonly toldAt?: number | undefined;
  /** Why the gateway has disabled it. */
  readonly stopped?: string | undefined;
  readonly createdAt: number;
}

/** The place of a job in time, which the scheduler moves. */
export type CronMove = Pick<CronJob, 'jobId' | 'revision' | 'base' | 'lastDue' | 'nextDue' | 'wakeAt'>;

/** `manual`: a person has asked for it. */
export type CronRunKind = 'scheduled' | 'event' | 'manual';

/** A run of a job, or due times that were skipped. */
export interface CronRun {
  /** Grows with the age: newer runs have higher numbers. */
  readonly run: number;
  readonly jobId: string;
  readonly tenant: string;
  /** The ID of the firing. A job never has two runs of one. */
  readonly firingId: string;
  readonly kind: CronRunKind;
  readonly due: number;
  readonly status: 'running' | 'done' | 'failed' | 'skipped';
  readonly reason?: string | undefined;
  /** The number of the try, from 1. */
  readonly attempt: number;
  /** The message to submit, while it runs. */
  readonly message?: Json | undefined;
  /** Undefined until the queue has accepted the message of this try. */
  readonly messageRef?: string | undefined;
  /** The session that was made for this run alone. It ends with this row. */
  readonly sessionId?: string | undefined;
  /** A message that was not accepted until then is given up. */
  readonly giveUpAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly usage?: Json | undefined;
  /** Number of due times that this row stands for, if it sums up several: those from {@link firstDue} to {@link due}. */
  readonly count?: number | undefined;
  readonly firstDue?: number | undefined;
}

/** A run to be decided on: `running` runs unless the rules of the job prevent it. */
export interface NewCronRun extends Pick<
  CronRun,
  'firingId' | 'kind' | 'due' | 'reason' | 'message' | 'sessionId' | 'giveUpAt' | 'count' | 'firstDue'
> {
  readonly status: 'running' | 'skipped';
}

/** The rules of a job that decide with what is stored. */
export interface CronRules {
  /** The policy for a due time while the last run has not ended. */
  readonly overlap: 'skip' | 'queue' | 'cancel_running';
  readonly maxRuns?: number | undefined;
  /** Events within this time after the last one that started a run are skipped, in milliseconds. */
  readonly minIntervalMs?: number | undefined;
}

/**
 * The decisions on new runs. `stale`: the job was changed, disabled or removed meanwhile; nothing was stored. A run whose
 * firing is known is returned as it is.
 */
export type OpenedCronRuns =
  | { readonly kind: 'stale' }
  | {
      readonly kind: 'opened';
      readonly runs: readonly CronRun[];
      /** Messages of earlier runs that must end first. */
      readonly cancel: readonly string[];
    };

/** A run whose message has ended. */
export interface EndedCronRun {
  readonly run: CronRun;
  readonly outcome: 'stop' | 'cancelled' | 'error' | 'lost';
  /** Why the message has failed. */
  readonly error?: string | undefined;
  readonly usage?: Json | undefined;
  readonly endedAt: number;
}

/** Runs whose messages have ended. */
export interface EndedCronRuns {
  readonly ended: readonly EndedCronRun[];
  /** The number of the last run that was looked at, if there are more. */
  readonly next?: number | undefined;
}

/** The end of a run, with the state of its job's failures afterwards. */
export interface CronRunEnd extends Pick<CronRun, 'run' | 'jobId' | 'reason' | 'usage'> {
  readonly status: 'done' | 'failed';
  readonly endedAt: number;
  readonly failures: number;
  readonly toldAt?: number | undefined;
}

/** Selects jobs, in the order of their IDs. */
export interface CronJobQuery {
  /** Or `ALL_TENANTS`. */
  readonly tenant: string;
  readonly owner?: string | undefined;
  /** The ID of the last job of the previous page. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * The jobs of the cron scheduler and their runs. Each call is atomic, and durable when it resolves; each write can be
 * repeated. All calls reject with GatewayError STORE_UNAVAILABLE when the store cannot answer.
 */
export abstract class CronStore {
  /**
   * Adds a job. `known`: a job with this ID exists; nothing was changed. `full`: there are `limits.total` jobs, or the owner
   * has `limits.owned` of them.
   */
  abstract addCronJob(
    job: CronJob,
    limits: { readonly total: number; readonly owned?: number | undefined },
    note: AuditNote,
  ): Promise<'added' | 'known' | 'full' | 'owner_full'>;

  /** Replaces a job, if its version is still `version`. Resolves with false if it is not. */
  abstract changeCronJob(job: CronJob, version: number, note: AuditNote): Promise<boolean>;

  /** Removes a job. Resolves with the refs of its messages that wait, and ends its runs that no queue has accepted. */
  abstract removeCronJob(jobId: string, note: AuditNote): Promise<readonly string[]>;

  /** Disables a job because of a reason that its operator has to know. */
  abstract stopCronJob(jobId: string, reason: string): Promise<void>;

  abstract findCronJob(jobId: string): Promise<CronJob | undefined>;

  abstract listCronJobs(query: CronJobQuery): Promise<readonly CronJob[]>;

  /** Lists the jobs with `wakeAt` up to `now`, in its order. @param after the last job of the previous page */
  abstract listDueCronJobs(
    now: number,
    limit: number,
    after?: Pick<CronJob, 'wakeAt' | 'jobId'>,
  ): Promise<readonly CronJob[]>;

  /** Lists the jobs whose base is after a time. */
  abstract listCronJobsAhead(after: number, limit: number): Promise<readonly CronJob[]>;

  /** Lists the enabled jobs of a tenant that an event starts; without its name, those of all events. */
  abstract listCronJobsOn(tenant: string, event?: string): Promise<readonly CronJob[]>;

  /** Returns the earliest `wakeAt`, and whether runs have not ended. */
  abstract readCronAgenda(): Promise<{ readonly wakeAt?: number | undefined; readonly isBusy: boolean }>;

  /** Decides on runs, in their order, and stores them. Scheduled ones and those of events need the revision of an enabled job. */
  abstract openCronRuns(
    jobId: string,
    revision: number,
    rules: CronRules,
    runs: readonly NewCronRun[],
  ): Promise<OpenedCronRuns>;

  /** Lists runs whose message was not accepted, oldest first. */
  abstract listOpenCronRuns(after: number, limit: number): Promise<readonly CronRun[]>;

  /** Notes that the queue has accepted the message of the current try. */
  abstract noteCronRunAccepted(run: number, messageRef: string, startedAt: number): Promise<void>;

  /** Moves a job in time, unless its schedule was changed. Moving it to where it is changes nothing. */
  abstract moveCronJob(move: CronMove): Promise<void>;

  /** Looks at the next `limit` runs after the run `after`, oldest first, and lists those whose messages have ended. */
  abstract listEndedCronRuns(after: number, limit: number): Promise<EndedCronRuns>;

  /** Starts the next try of a run. */
  abstract retryCronRun(run: number, attempt: number, giveUpAt: number): Promise<void>;

  /** Ends a run. */
  abstract endCronRun(end: CronRunEnd): Promise<void>;

  /** Notes why the running run of a message is about to end. The first reason stands. */
  abstract noteCronRunReason(messageRef: string, reason: string): Promise<void>;

  /** Lists the runs of a job, newest first. */
  abstract listCronRuns(jobId: string, limit: number, before?: number): Promise<readonly CronRun[]>;
}

/** Returns the client of a job's messages. No credential can have its principal. */
export function clientOfCronJob(tenant: string, jobId: string): ClientKey {
  return { tenant, principal: `cron:${jobId}`, clientId: 'cron' };
}
