import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { GatewayError, type PayloadFault } from '../../protocol/domain.js';
import { findFaults } from '../../protocol/faults.js';
import type { TSchema } from 'typebox';
import { AgentsService } from '../agents/agents.service.js';
import { noteOfCronJob } from '../audit/audit-notes.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { MessageQueueService } from '../queue/message-queue.service.js';
import { AuditStore, CronStore, isInScope, type CronJob, type CronJobQuery, type CronRun } from '../store/index.js';
import { Clock } from '../time/clock.js';
import { compileSchedule } from './compile-schedule.js';
import { CronRunsService } from './cron-runs.service.js';
import { CronService } from './cron.service.js';
import { definitionOf, type JobDefinition, type JobMaker } from './job.js';
import { JobChangeInput, JobInput } from './job-schema.js';
import { changeJob, readJob, toInput } from './read-job.js';
import { Slices } from './slices.js';
import { hostTimezone, normaliseTimezone } from './timezone.js';

/** Jobs that a gateway may have. */
export const MAX_JOBS = 50_000;
/** Tries of a change while others change the same job. */
const MAX_TRIES = 5;

/** Who adds a job. */
export interface JobOwner {
  readonly tenant: string;
  readonly maker: JobMaker;
  /** For the audit trail. */
  readonly actor: string;
  /** The person whose jobs are counted together. */
  readonly owner: string;
  /** Jobs that the owner may have. */
  readonly maxOwned?: number;
  /** Makes a repeat of the same request find the job that it has made. */
  readonly key?: string;
}

/** Adds, changes and removes jobs. Each change adds a row to the audit trail. */
@Injectable()
export class CronJobsService {
  private readonly slices: Slices;

  // oxlint-disable-next-line max-params -- what a change of a job touches, each by its own service
  constructor(
    private readonly store: CronStore,
    private readonly cron: CronService,
    private readonly runs: CronRunsService,
    private readonly queue: MessageQueueService,
    private readonly agents: AgentsService,
    private readonly config: ConfigStoreService,
    private readonly audit: AuditStore,
    private readonly clock: Clock,
  ) {
    this.slices = new Slices(clock);
  }

  /**
   * Adds a job.
   * @throws GatewayError INVALID_PAYLOAD with a pointer to each fault, also when there are too many jobs
   */
  async add(body: unknown, { tenant, maker, actor, owner, maxOwned, key }: JobOwner): Promise<CronJob> {
    const input = check<JobInput>(JobInput, body);
    const now = this.clock.now();
    const definition = await readJob(input, { now, timezone: this.timezone, maker });
    this.checkAgent(tenant, definition);
    const jobId =
      key === undefined ? makeId(now, randomBytes(6)) : makeId(0, createHash('sha256').update(key).digest());
    const job = await this.complete(definition, {
      jobId,
      tenant,
      owner,
      isEnabled: input.enabled ?? true,
      version: 1,
      revision: 1,
      base: now,
      firings: 0,
      failures: 0,
      createdAt: now,
    });
    const note = noteOfCronJob('add', job, actor, { after: describe(job) });
    const outcome = await this.store.addCronJob(job, { total: MAX_JOBS, owned: maxOwned }, note);
    if (outcome === 'full') throw invalid('', `there are ${MAX_JOBS} jobs already, which is the limit`);
    if (outcome === 'owner_full')
      throw invalid('', `there are ${maxOwned} jobs of this sender already, which is the limit`);
    this.cron.wake();
    return outcome === 'known' ? this.get(tenant, jobId) : job;
  }

  /**
   * Changes a job. A new schedule counts from now on, and nothing is started by a change.
   * @throws GatewayError NOT_FOUND, INVALID_PAYLOAD
   */
  async change(tenant: string, jobId: string, body: unknown, actor: string): Promise<CronJob> {
    const change = check<JobChangeInput>(JobChangeInput, body);
    for (let tries = 1; ; tries++) {
      const before = await this.get(tenant, jobId);
      const after = await this.apply(before, change);
      const note = noteOfCronJob('change', after, actor, { before: describe(before), after: describe(after) });
      if (await this.store.changeCronJob(after, before.version, note)) {
        this.cron.wake();
        return after;
      }
      if (tries === MAX_TRIES) throw new GatewayError('STORE_UNAVAILABLE', {});
    }
  }

  /**
   * Removes a job. Its waiting messages end as cancelled; a running turn continues unless it is to be cancelled too.
   * @throws GatewayError NOT_FOUND
   */
  async remove(tenant: string, jobId: string, actor: string, cancelsRunning = false): Promise<void> {
    const job = await this.get(tenant, jobId);
    const running = cancelsRunning ? await this.listRunningRefs(jobId) : [];
    const waiting = await this.store.removeCronJob(
      jobId,
      noteOfCronJob('remove', job, actor, { before: describe(job) }),
    );
    for (const messageRef of new Set([...waiting, ...running]))
      await this.queue.cancel({ by: 'ref', tenant: job.tenant, messageRef });
    this.cron.wake();
  }

  /** Starts a job now. @throws GatewayError NOT_FOUND, FORBIDDEN */
  async run(tenant: string, jobId: string, actor: string): Promise<CronRun> {
    const job = await this.get(tenant, jobId);
    await this.audit.recordAudit(noteOfCronJob('run', job, actor, {}));
    return this.cron.runNow(job);
  }

  /** @param tenant or `ALL_TENANTS` @throws GatewayError NOT_FOUND */
  async get(tenant: string, jobId: string): Promise<CronJob> {
    const job = await this.store.findCronJob(jobId);
    if (!job || !isInScope(tenant, job.tenant)) throw new GatewayError('NOT_FOUND', { what: `job ${jobId}` });
    return job;
  }

  list(query: CronJobQuery): Promise<readonly CronJob[]> {
    return this.store.listCronJobs(query);
  }

  /** Returns the coming due times of a job, without jitter; none while it is disabled. */
  async next(job: CronJob, count: number): Promise<readonly number[]> {
    const { schedule, expiresAt = Infinity } = definitionOf(job);
    const times = await compileSchedule(schedule);
    const found: number[] = [];
    let due = job.isEnabled ? times.next(Math.max(job.base, this.clock.now())) : undefined;
    for (; due !== undefined && due <= expiresAt && found.length < count; due = times.next(due)) {
      found.push(due);
      await this.slices.pause();
    }
    return found;
  }

  /** Returns runs of a job, newest first, each as it is now. @throws GatewayError NOT_FOUND */
  async history(tenant: string, jobId: string, limit: number, before?: number): Promise<readonly CronRun[]> {
    await this.get(tenant, jobId);
    await this.runs.settle();
    return this.store.listCronRuns(jobId, limit, before);
  }

  private get timezone(): string {
    const timezone = this.config.get('cron.timezone');
    return timezone === undefined ? hostTimezone() : normaliseTimezone(timezone);
  }

  private async apply(before: CronJob, change: JobChangeInput): Promise<CronJob> {
    const now = this.clock.now();
    const definition = await changeJob(definitionOf(before), change, now);
    this.checkAgent(before.tenant, definition);
    const isEnabled = change.enabled ?? before.isEnabled;
    const isMoved = JSON.stringify(definition.schedule) !== JSON.stringify(definitionOf(before).schedule);
    const isRestarted = isMoved || isEnabled !== before.isEnabled;
    return this.complete(definition, {
      ...before,
      isEnabled,
      version: before.version + 1,
      revision: before.revision + Number(isMoved),
      base: isRestarted ? Math.max(now, isMoved ? 0 : before.base) : before.base,
      ...(isEnabled && { stopped: undefined }),
      // A job that has run often enough starts again when it is enabled again.
      ...(isEnabled && !before.isEnabled && { firings: 0, failures: 0, toldAt: undefined }),
    });
  }

  /** Adds the definition of a job, with its position in time. */
  private async complete(
    definition: JobDefinition,
    job: Omit<CronJob, 'definition' | 'event' | 'nextDue' | 'wakeAt'>,
  ): Promise<CronJob> {
    const { schedule } = definition;
    const { nextDue, wakeAt } = await this.cron.place(job, definition, job.base);
    const event = schedule.kind === 'event' ? schedule.event : undefined;
    return { ...job, event, definition: JSON.stringify(definition), nextDue, wakeAt };
  }

  private checkAgent(tenant: string, { agent }: JobDefinition): void {
    if (agent !== undefined && !this.agents.findFor(tenant, agent))
      throw invalid('/agent', `there is no agent ${agent}`);
  }

  private async listRunningRefs(jobId: string): Promise<readonly string[]> {
    const runs = await this.store.listCronRuns(jobId, 1_000);
    return runs.flatMap(({ status, messageRef }) => (status === 'running' ? (messageRef ?? []) : []));
  }
}

/** Returns what the audit trail says about a job. */
function describe(job: CronJob): object {
  return { enabled: job.isEnabled, ...toInput(definitionOf(job)) };
}

/** Returns an ID that sorts by the time. */
function makeId(now: number, bytes: Uint8Array): string {
  return `j${now.toString(36).padStart(9, '0')}${Buffer.from(bytes).toString('hex').slice(0, 12)}`;
}

/** @throws GatewayError INVALID_PAYLOAD */
function check<T>(schema: TSchema, body: unknown): T {
  const faults = findFaults(schema, body);
  if (faults.length > 0) throw new GatewayError('INVALID_PAYLOAD', { faults });
  return body as T;
}

function invalid(pointer: string, message: string): GatewayError<'INVALID_PAYLOAD'> {
  const fault: PayloadFault = { pointer, message };
  return new GatewayError('INVALID_PAYLOAD', { faults: [fault] });
}
