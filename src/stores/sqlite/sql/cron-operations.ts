import type { DatabaseSync } from 'node:sqlite';
import type {
  AuditNote,
  CronJob,
  CronJobQuery,
  CronMove,
  CronRules,
  CronRun,
  CronRunEnd,
  EndedCronRun,
  EndedCronRuns,
  NewCronRun,
  OpenedCronRuns,
} from '../../../core/store/index.js';
import { DAY_MS } from '../../../core/time/clock.js';
import type { AuditTrail } from './audit-trail.js';
import { prepareJobs, prepareRunChanges, prepareRuns, type Row } from './cron-statements.js';
import type { MessageRefs } from '../state/message-refs.js';
import { required } from './statement.js';
import { MAX_STEP_ROWS, type SweepBudget } from './sweep-budget.js';

/** Time for which runs are kept, in milliseconds. */
const KEPT_MS = 90 * DAY_MS;

const STILL_RUNS = 'the last run has not ended';
/** Runs of a job that have not ended. */
const MAX_WAITING = 1_000;
const MANY_WAIT = `${MAX_WAITING} runs have not ended`;
const TOO_SOON = 'sooner after the last event than min_interval_ms';

/** The operations of `CronStore`. */
export class CronOperations {
  private readonly statements;

  constructor(
    database: DatabaseSync,
    private readonly refs: MessageRefs,
    private readonly audit: AuditTrail,
  ) {
    this.statements = { ...prepareJobs(database), ...prepareRuns(database), ...prepareRunChanges(database) };
  }

  add(
    now: number,
    job: CronJob,
    { total, owned = Infinity }: { readonly total: number; readonly owned?: number | undefined },
    note: AuditNote,
  ): 'added' | 'known' | 'full' | 'owner_full' {
    const { findJob, countJobs, countOwned } = this.statements;
    if (findJob.get(job.jobId)) return 'known';
    if (required(countJobs.get()).count >= total) return 'full';
    if (required(countOwned.get(job.tenant, job.owner)).count >= owned) return 'owner_full';
    this.write(job);
    this.audit.add(now, note);
    return 'added';
  }

  change(now: number, job: CronJob, version: number, note: AuditNote): boolean {
    if (this.statements.findJob.get(job.jobId)?.version !== version) return false;
    this.write(job);
    this.audit.add(now, note);
    return true;
  }

  remove(now: number, jobId: string, note: AuditNote): string[] {
    const { deleteJob, endOpen, listRunning, findQueued } = this.statements;
    if (deleteJob.run(jobId).changes === 0) return [];
    this.audit.add(now, note);
    endOpen.run('the job was removed', now, jobId);
    const messages = listRunning.all(jobId).flatMap(({ messageRef }) => messageRef ?? []);
    return messages.filter((ref) => findQueued.get(this.ordOf(ref))?.state === 'queued');
  }

  stop(jobId: string, reason: string): void {
    this.statements.stopJob.run(reason, jobId);
  }

  find(jobId: string): CronJob | undefined {
    const row = this.statements.findJob.get(jobId);
    return row && toJob(row);
  }

  list({ tenant, owner, after = '', limit }: CronJobQuery): CronJob[] {
    return this.statements.listJobs.all(after, tenant, owner ?? null, limit).map(toJob);
  }

  listDue(now: number, limit: number, after?: Pick<CronJob, 'wakeAt' | 'jobId'>): CronJob[] {
    return this.statements.listDue.all(now, after?.wakeAt ?? -1, after?.jobId ?? '', limit).map(toJob);
  }

  listAhead(after: number, limit: number): CronJob[] {
    return this.statements.listAhead.all(after, limit).map(toJob);
  }

  listOnEvent(tenant: string, event?: string): CronJob[] {
    return this.statements.listOnEvent.all(event ?? null, tenant).map(toJob);
  }

  readAgenda(): { wakeAt?: number; isBusy: boolean } {
    const { wakeAt, isBusy } = required(this.statements.earliest.get());
    return { ...(wakeAt !== null && { wakeAt }), isBusy: isBusy === 1 };
  }

  open(now: number, jobId: string, revision: number, rules: CronRules, runs: readonly NewCronRun[]): OpenedCronRuns {
    const job = this.find(jobId);
    const isCurrent = job?.isEnabled === true && job.revision === revision;
    if (!job || (!isCurrent && runs.some(({ kind }) => kind !== 'manual'))) return { kind: 'stale' };
    const cancel: string[] = [];
    const opened = runs.map((run) => {
      const known = this.statements.findRun.get(run.firingId);
      return known ? withoutNulls<CronRun>(known) : this.decide(now, job, rules, run, cancel);
    });
    for (const { sessionId } of this.statements.trimRuns.all(jobId)) this.forgetSession(sessionId);
    return { kind: 'opened', runs: opened, cancel };
  }

  listOpen(after: number, limit: number): CronRun[] {
    return this.statements.listOpen.all(after, limit).map(withoutNulls<CronRun>);
  }

  accept(run: number, messageRef: string, startedAt: number): void {
    this.statements.acceptRun.run(messageRef, startedAt, run);
  }

  move({ jobId, revision, base, lastDue, nextDue, wakeAt }: CronMove): void {
    this.statements.moveJob.run(base, lastDue ?? null, nextDue ?? null, wakeAt ?? null, jobId, revision);
  }

  listEnded(now: number, after: number, limit: number): EndedCronRuns {
    const rows = this.statements.listAccepted.all(after, limit);
    const last = rows.length === limit ? rows.at(-1) : undefined;
    return {
      ended: rows.map(withoutNulls<CronRun>).flatMap((run) => this.findEnd(run, now) ?? []),
      ...(last && { next: last.run }),
    };
  }

  retry(run: number, attempt: number, giveUpAt: number): void {
    this.statements.retryRun.run(attempt, giveUpAt, run);
  }

  end({ run, jobId, status, reason, usage, endedAt, failures, toldAt }: CronRunEnd): void {
    const ended = this.statements.endRun.run(status, reason ?? null, usage ?? null, endedAt, run);
    if (ended.changes > 0) this.statements.setFailures.run(failures, toldAt ?? null, jobId);
  }

  noteReason(messageRef: string, reason: string): void {
    this.statements.noteReason.run(reason, messageRef);
  }

  listRuns(jobId: string, limit: number, before = Number.MAX_SAFE_INTEGER): CronRun[] {
    return this.statements.listRuns.all(jobId, before, limit).map(withoutNulls<CronRun>);
  }

  /**
   * Deletes old runs, and the sessions of runs that are gone, within the budget. Returns true if there may be more.
   * @param deleteSession deletes a session within the budget; returns true when it is gone
   */
  sweep(now: number, budget: SweepBudget, deleteSession: (sessionId: string) => boolean): boolean {
    const { deleteOld, listSessions, deleteSession: forget } = this.statements;
    const isSwept = budget.repeat(() => {
      const deleted = deleteOld.all(now - KEPT_MS, MAX_STEP_ROWS);
      for (const { sessionId } of deleted) this.forgetSession(sessionId);
      return deleted.length;
    });
    if (!isSwept) return true;
    for (const { sessionId } of listSessions.all(MAX_STEP_ROWS)) {
      if (budget.isOver || !deleteSession(sessionId)) return true;
      forget.run(sessionId);
    }
    return false;
  }

  /** Decides on a new run and stores it. */
  private decide(now: number, job: CronJob, rules: CronRules, run: NewCronRun, cancel: string[]): CronRun {
    const { listRunning, noteReason, countFiring } = this.statements;
    if (run.status === 'skipped') return this.store(now, job, run);
    const reason = this.findObstacle(job, rules, run);
    if (reason !== undefined) return this.skip(now, job, run, reason);
    if (rules.overlap === 'cancel_running')
      for (const { messageRef } of listRunning.all(job.jobId)) {
        if (messageRef === null) continue;
        noteReason.run('cancelled for the next run', messageRef);
        cancel.push(messageRef);
      }
    if (run.kind !== 'manual') countFiring.run(job.jobId);
    return this.store(now, job, run);
  }

  /** Returns why a run may not start. */
  private findObstacle({ jobId }: CronJob, rules: CronRules, { kind, due }: NewCronRun): string | undefined {
    const { listRunning, countRunning, lastOfEvents, findJob } = this.statements;
    const { overlap, maxRuns = Infinity, minIntervalMs = 0 } = rules;
    if (kind !== 'manual' && required(findJob.get(jobId)).firings >= maxRuns) return `it has run ${maxRuns} times`;
    const last = kind === 'event' && minIntervalMs > 0 ? lastOfEvents.get(jobId) : undefined;
    if (last && due - last.due < minIntervalMs) return TOO_SOON;
    if (required(countRunning.get(jobId)).count >= MAX_WAITING) return MANY_WAIT;
    if (overlap === 'skip' && listRunning.all(jobId).some((row) => !this.hasEnded(row))) return STILL_RUNS;
    return undefined;
  }

  /** Stores a run that is skipped. Events that are skipped one after the other for the same reason share a row. */
  private skip(now: number, job: CronJob, run: NewCronRun, reason: string): CronRun {
    const { newest, addSkipped } = this.statements;
    const row = run.kind === 'event' ? newest.get(job.jobId) : undefined;
    if (row?.status !== 'skipped' || row.kind !== 'event' || row.reason !== reason)
      return this.store(now, job, {
        ...run,
        status: 'skipped',
        reason,
        message: undefined,
        sessionId: undefined,
        ...(run.kind === 'event' && { firstDue: run.due }),
      });
    addSkipped.run(run.due, row.run);
    return withoutNulls<CronRun>(required(newest.get(job.jobId)));
  }

  private store(now: number, { jobId, tenant }: CronJob, run: NewCronRun): CronRun {
    const { firingId, kind, due, status, reason, message, sessionId, giveUpAt, count, firstDue } = run;
    this.statements.addRun.run(
      jobId,
      tenant,
      firingId,
      kind,
      due,
      status,
      reason ?? null,
      message ?? null,
      sessionId ?? null,
      giveUpAt,
      status === 'skipped' ? now : null,
      count ?? null,
      firstDue ?? null,
    );
    return withoutNulls<CronRun>(required(this.statements.findRun.get(firingId)));
  }

  /** True if the message of a run has ended well: the run only has to be noted as done. */
  private hasEnded({ messageRef }: Pick<Row<CronRun>, 'messageRef'>): boolean {
    return messageRef !== null && this.statements.findReply.get(this.ordOf(messageRef))?.reason === 'stop';
  }

  private findEnd(run: CronRun, now: number): EndedCronRun | undefined {
    const ord = this.ordOf(run.messageRef ?? '');
    const reply = this.statements.findReply.get(ord);
    if (reply) {
      const { reason: outcome, error, usage, endedAt } = reply;
      return { run, outcome, endedAt, ...(error !== null && { error }), ...(usage !== null && { usage }) };
    }
    return this.statements.findQueued.get(ord) ? undefined : { run, outcome: 'lost', endedAt: now };
  }

  private ordOf(messageRef: string): number {
    return this.refs.parse(messageRef) ?? 0;
  }

  private forgetSession(sessionId: string | null): void {
    if (sessionId !== null) this.statements.addSession.run(sessionId);
  }

  private write(job: CronJob): void {
    const { jobId, tenant, owner, event, isEnabled, definition, version, revision, base, createdAt } = job;
    const { lastDue, nextDue, wakeAt, firings, failures, toldAt, stopped } = job;
    const state = [base, lastDue ?? null, nextDue ?? null, wakeAt ?? null, firings, failures, toldAt ?? null];
    this.statements.writeJob.run(
      ...[jobId, tenant, owner, event ?? null, Number(isEnabled), definition, version, revision],
      ...state,
      stopped ?? null,
      createdAt,
    );
  }
}

function toJob(row: Row<CronJob>): CronJob {
  return { ...withoutNulls<CronJob>(row), isEnabled: row.isEnabled === 1 };
}

function withoutNulls<T>(row: Row<T>): T {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as T;
}
