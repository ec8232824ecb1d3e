import { Injectable } from '@nestjs/common';
import { GatewayError } from '../../protocol/domain.js';
import { failpoint } from '../failpoints/failpoint.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { ALL_TENANTS, CronStore, type CronJob, type CronMove, type CronRun, type NewCronRun } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock, type CancelTimer } from '../time/clock.js';
import { compileSchedule } from './compile-schedule.js';
import { CronRunsService } from './cron-runs.service.js';
import { eventFiringId, jitterOf, manualId, scheduledId } from './firing-id.js';
import { describeMissed } from './firing-text.js';
import { definitionOf, type JobDefinition } from './job.js';
import { MakerRightsService } from './maker-rights.service.js';
import { MAX_AHEAD_MS, planFirings, type Plan } from './missed.js';
import type { DueTimes } from './schedule.js';
import { Slices } from './slices.js';

/** The scheduler looks at its jobs at least this often, in milliseconds: the clock may be set, the machine may sleep. */
const LOOK_INTERVAL_MS = 15_000;
/** While runs have not ended, it looks for their ends this often, in milliseconds. */
const BUSY_INTERVAL_MS = 1_000;
/** Jobs that are looked at together. */
const PAGE = 64;

/** An event of a device node. */
export interface NodeEvent {
  readonly tenant: string;
  readonly nodeId: string;
  /** Chosen by the node: an event that it sends again has the same one. */
  readonly eventId: string;
  readonly event: string;
  /** JSON. */
  readonly data: unknown;
}

/**
 * The chapter's Cron Scheduler: starts jobs when they are due. A firing is a row, then a message under an ID that names job
 * and due time, then the move of the job to its next due time. Each of these steps can be repeated, so a firing happens exactly
 * once, whatever crashes and however many replicas look.
 */
@Injectable()
export class CronService {
  private readonly log: Log;
  private isOpen = false;
  private looking: Promise<void> | undefined;
  private mustLookAgain = false;
  /** The due times of all jobs were computed by this process. */
  private isFresh = false;
  private cancelTimer: CancelTimer | undefined;
  private readonly slices: Slices;

  constructor(
    private readonly store: CronStore,
    private readonly runs: CronRunsService,
    private readonly rights: MakerRightsService,
    private readonly queue: MessageQueueService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('cron');
    this.slices = new Slices(clock);
  }

  /** Starts to look. */
  @StartStep({ name: 'run cron jobs', phase: 'run', after: ['run messages'], undoneIn: 'refuse' })
  start(): Undo {
    this.isOpen = true;
    this.wake();
    return () => this.stop();
  }

  /** Looks now, for example because a job was added. */
  wake(): void {
    if (!this.isOpen) return;
    this.mustLookAgain = true;
    this.looking ??= this.lookUntilDone();
  }

  /** Resolves when the scheduler has looked at what was due. */
  async whenLooked(): Promise<void> {
    await this.looking;
  }

  /**
   * Starts the jobs that an event of a node starts. Resolves when that is durable; a repeat of the event changes nothing.
   * @throws GatewayError STORE_UNAVAILABLE
   */
  async fireEvent({ tenant, nodeId, eventId, event, data }: NodeEvent): Promise<void> {
    const jobs = await this.store.listCronJobsOn(tenant, event);
    const due = this.clock.now();
    const text = JSON.stringify(data);
    const fire = async (job: CronJob) => {
      const definition = definitionOf(job);
      const { schedule } = definition;
      if (schedule.kind !== 'event' || (schedule.nodeId ?? nodeId) !== nodeId) return;
      const firingId = eventFiringId(job.jobId, nodeId, eventId);
      await this.open(job, definition, [{ firingId, kind: 'event', due, event: text }]);
    };
    // Each run holds the data: not all at once.
    for (let at = 0; at < jobs.length; at += PAGE)
      await Promise.all(jobs.slice(at, at + PAGE).map((job) => this.guard(job, () => fire(job))));
    this.wake();
  }

  /**
   * Starts a job now, beside its schedule and under the same rules. Resolves with its run, which may be skipped.
   * @throws GatewayError NOT_FOUND, FORBIDDEN if the rights of its maker are gone, STORE_UNAVAILABLE
   */
  async runNow(job: CronJob): Promise<CronRun> {
    const firing = { firingId: manualId(job.jobId), kind: 'manual', due: this.clock.now() } as const;
    const [run] = (await this.open(job, definitionOf(job), [firing])) ?? [];
    if (!run)
      throw new GatewayError('FORBIDDEN', {
        reason: (await this.store.findCronJob(job.jobId))?.stopped ?? 'the job was changed',
      });
    this.wake();
    return run;
  }

  /** Returns the position of a job in time, from a base on. */
  async place(
    job: Pick<CronJob, 'jobId' | 'revision' | 'isEnabled'>,
    definition: JobDefinition,
    base: number,
  ): Promise<CronMove> {
    const { jobId, revision } = job;
    const times = await compileSchedule(definition.schedule);
    const next = job.isEnabled ? times.next(base) : undefined;
    if (next === undefined || next > (definition.expiresAt ?? Infinity)) return { jobId, revision, base };
    const wakeAt = next + jitterOf(jobId, times.nameOf(next), definition.jitterMs);
    return { jobId, revision, base, nextDue: next, wakeAt };
  }

  private async stop(): Promise<void> {
    this.isOpen = false;
    this.cancelTimer?.();
    await this.looking;
  }

  private async lookUntilDone(): Promise<void> {
    this.cancelTimer?.();
    while (this.mustLookAgain && this.isOpen) {
      this.mustLookAgain = false;
      try {
        await this.look();
      } catch (error) {
        this.log.warn({ error }, 'the jobs could not be looked at; trying again');
      }
    }
    const delayMs = await this.findDelay();
    this.looking = undefined;
    if (this.mustLookAgain) this.wake();
    else if (this.isOpen) this.cancelTimer = this.clock.setTimer(delayMs, () => this.wake());
  }

  /** Returns the time until the next look: that of the nearest job, but never long. */
  private async findDelay(): Promise<number> {
    try {
      const { wakeAt = Infinity, isBusy } = await this.store.readCronAgenda();
      const untilNext = Math.max(wakeAt - this.clock.now(), 0);
      // A job that stays due waits for the queue.
      const nearest = untilNext === 0 ? BUSY_INTERVAL_MS : untilNext;
      return Math.min(nearest, isBusy ? BUSY_INTERVAL_MS : LOOK_INTERVAL_MS);
    } catch {
      return BUSY_INTERVAL_MS;
    }
  }

  private async look(): Promise<void> {
    if (!this.isFresh) await this.refreshAll();
    await this.runs.settle();
    await this.runs.submitOpen();
    const ahead = await this.store.listCronJobsAhead(this.clock.now() + MAX_AHEAD_MS, PAGE);
    await Promise.all(ahead.map((job) => this.guard(job, () => this.refresh(job))));
    let after: CronJob | undefined;
    do {
      const due = await this.store.listDueCronJobs(this.clock.now(), PAGE, after);
      await Promise.all(due.map((job) => this.guard(job, () => this.fire(job))));
      after = due.length === PAGE ? due.at(-1) : undefined;
    } while (after && this.isOpen);
  }

  /** Computes the due times of all jobs again: zone data may be others than at the last start. */
  private async refreshAll(): Promise<void> {
    for (let after = ''; ;) {
      const jobs = await this.store.listCronJobs({ tenant: ALL_TENANTS, after, limit: PAGE });
      for (const job of jobs) if (job.isEnabled) await this.guard(job, () => this.refresh(job));
      if (jobs.length < PAGE) break;
      after = jobs.at(-1)?.jobId ?? after;
    }
    this.isFresh = true;
  }

  private async refresh(job: CronJob): Promise<void> {
    const now = this.clock.now();
    const isAhead = job.base > now + MAX_AHEAD_MS;
    if (isAhead)
      this.log.warn({ job_id: job.jobId, base: job.base }, 'a job was due far in the future: the clock was wrong');
    const move = await this.place(job, definitionOf(job), isAhead ? now : job.base);
    if (move.base !== job.base || move.nextDue !== job.nextDue || move.wakeAt !== job.wakeAt)
      await this.store.moveCronJob(move);
  }

  /**
   * Keeps a fault of one job from the others. A job whose schedule cannot be computed any more is stopped; one that has to wait,
   * for example for room in the queue of its chat, stays due. @throws GatewayError STORE_UNAVAILABLE, which concerns all
   */
  private async guard(job: CronJob, act: () => Promise<void>): Promise<void> {
    try {
      await this.slices.pause();
      await act();
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'STORE_UNAVAILABLE') throw error;
      if (error instanceof GatewayError && error.retryable) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.log.error({ error, job_id: job.jobId }, 'a job was stopped');
      await this.store.stopCronJob(job.jobId, reason);
    }
  }

  /** Decides on the due times of a job, starts it, and moves it on. */
  private async fire(job: CronJob): Promise<void> {
    const definition = definitionOf(job);
    const times = await compileSchedule(definition.schedule);
    const { jobId, base } = job;
    const plan = await planFirings({
      times,
      definition,
      base,
      now: this.clock.now(),
      jitterOf: (due) => jitterOf(jobId, times.nameOf(due), definition.jitterMs),
      pause: () => this.slices.pause(),
    });
    if (plan.upTo === undefined) return this.move(job, definition, base);
    const idOf = (due: number) => scheduledId(jobId, job.revision, times.nameOf(due));
    const skipped = listSkipped(plan, idOf);
    const firings = plan.fire.map((due) => ({ firingId: idOf(due), kind: 'scheduled' as const, due }));
    const opened = await this.open(job, definition, firings, skipped);
    if (!opened) return;
    if (await this.isHandled(opened)) await this.finish(job, definition, plan, times, idOf);
  }

  /** Moves a job behind the due times of a plan, once all are decided and accepted. */
  private async finish(
    job: CronJob,
    definition: JobDefinition,
    plan: Plan,
    times: DueTimes,
    idOf: (due: number) => string,
  ): Promise<void> {
    const { upTo = job.base, fire } = plan;
    const isLost = fire.length === 0 && definition.schedule.kind === 'at';
    if (isLost) await this.runs.tell(job, idOf(upTo), 'missed', describeMissed(definition, upTo));
    await this.move(job, definition, upTo, upTo);
    failpoint('cron.after_move');
    const { maxRuns } = definition;
    const firings = maxRuns === undefined ? 0 : ((await this.store.findCronJob(job.jobId))?.firings ?? 0);
    if (maxRuns !== undefined && firings >= maxRuns)
      await this.store.stopCronJob(job.jobId, `it has run ${maxRuns} times`);
  }

  private async move(job: CronJob, definition: JobDefinition, base: number, lastDue?: number): Promise<void> {
    await this.store.moveCronJob({ ...(await this.place(job, definition, base)), lastDue });
  }

  /**
   * Stores the rows of firings and submits their messages. Resolves with undefined if the job was changed meanwhile, or is
   * stopped because its maker's rights are gone.
   */
  private async open(
    job: CronJob,
    definition: JobDefinition,
    firings: readonly Omit<Parameters<CronRunsService['build']>[3], 'now'>[],
    skipped: readonly NewCronRun[] = [],
  ): Promise<readonly CronRun[] | undefined> {
    const now = this.clock.now();
    const rights = await this.rights.find(job.tenant, definition);
    if (rights.kind === 'gone') {
      this.log.warn({ job_id: job.jobId, reason: rights.reason }, 'a job was stopped');
      await this.store.stopCronJob(job.jobId, rights.reason);
      return undefined;
    }
    const { overlap, maxRuns, minIntervalMs, misfire } = definition;
    const rules = {
      overlap: firings.length > 1 && misfire === 'all' ? 'queue' : overlap,
      maxRuns,
      minIntervalMs,
    } as const;
    const built = firings.map((firing) => this.runs.build(job, definition, rights, { ...firing, now }));
    const opened = await this.store.openCronRuns(job.jobId, job.revision, rules, [...skipped, ...built]);
    if (opened.kind === 'stale') return undefined;
    for (const messageRef of opened.cancel) await this.queue.cancel({ by: 'ref', tenant: job.tenant, messageRef });
    this.runs.countSkipped(opened.runs.filter(({ status }) => status === 'skipped').length);
    return opened.runs.slice(skipped.length);
  }

  /** Submits the messages of runs, in their order. Resolves with false if one has to be submitted again later. */
  private async isHandled(opened: readonly CronRun[]): Promise<boolean> {
    for (const run of opened) if (!(await this.runs.submit(run))) return false;
    return true;
  }
}

/** Returns the rows of due times that a plan skips. */
function listSkipped({ skip, earlier }: Plan, idOf: (due: number) => string): readonly NewCronRun[] {
  const common = { kind: 'scheduled', status: 'skipped', reason: 'missed', giveUpAt: 0 } as const;
  const rows: NewCronRun[] = skip.map((due) => ({ ...common, firingId: idOf(due), due }));
  if (!earlier) return rows;
  const { count, first, last } = earlier;
  return [{ ...common, firingId: idOf(last), due: last, count, firstDue: first }, ...rows];
}
