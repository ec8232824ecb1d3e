import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiTags } from '@nestjs/swagger';
import { HttpAuthGuard, RequireRole, RequireScope, Speaker, Viewer } from '../auth/index.js';
import { CronJobsService } from '../core/cron/cron-jobs.service.js';
import { definitionOf } from '../core/cron/job.js';
import { ownerOfOperator } from '../core/cron/job-owner.js';
import { toInput } from '../core/cron/read-job.js';
import { zoneDataVersion } from '../core/cron/timezone.js';
import { describeSchedule } from '../core/cron/words.js';
import type { Principal } from '../core/identity/principal.js';
import type { CronJob, CronRun } from '../core/store/index.js';
import { JobChangeInput, JobInput } from '../core/cron/job-schema.js';
import { toOpenApiSchema, validated } from '../http/index.js';
import {
  CronJobDto,
  CronJobsDto,
  CronNextQuery,
  CronRunDto,
  CronRunsDto,
  CronTimesDto,
  RemoveCronJobQuery,
  type CronScheduleDto,
} from './cron.dto.js';
import { Cursors, DEFAULT_LIMIT } from './pages.js';
import { CursorQuery } from './queue.dto.js';

/** Due times that a job is shown with. */
const SHOWN_TIMES = 5;
const DEFAULT_TIMES = 10;

const NEW_JOB = {
  name: 'news',
  schedule: { cron: '0 8 * * 1-5', timezone: 'Europe/Paris' },
  target: { channel: 'telegram', sender: '5001' },
  message: 'What is new today? It is {{due}}.',
};
const query = validated();

/** The jobs of the cron scheduler, which are documented in `docs/guides/cron.md`. */
@ApiTags('admin')
@ApiBearerAuth()
@Controller('admin/v1/cron/jobs')
@UseGuards(HttpAuthGuard)
@RequireRole('operator')
export class CronController {
  constructor(private readonly jobs: CronJobsService) {}

  /** In the order in which they were made. */
  @Get()
  @RequireScope('admin:read')
  async list(
    @Query(query) { limit = DEFAULT_LIMIT, cursor }: CursorQuery,
    @Viewer() { tenant }: Principal,
  ): Promise<CronJobsDto> {
    const cursors = new Cursors<string>('cron jobs', tenant);
    const jobs = await this.jobs.list({ tenant, after: cursors.decode(cursor), limit: limit + 1 });
    const page = jobs.slice(0, limit);
    const last = jobs.length > limit ? page.at(-1) : undefined;
    return {
      items: await Promise.all(page.map((job) => this.toDto(job))),
      ...(last && { next: cursors.encode(last.jobId) }),
    };
  }

  /** Adds a job. Its runs have the rights of the caller at their time. */
  @Post()
  @ApiBody({ schema: toOpenApiSchema(JobInput, NEW_JOB) })
  @RequireScope('admin:write')
  async add(@Body() job: object, @Speaker() caller: Principal): Promise<CronJobDto> {
    return this.toDto(await this.jobs.add(job, ownerOfOperator(caller)));
  }

  /** Returns a job with its next due time. */
  @Get(':id')
  @RequireScope('admin:read')
  async get(@Param('id') id: string, @Viewer() { tenant }: Principal): Promise<CronJobDto> {
    return this.toDto(await this.jobs.get(tenant, id));
  }

  /** Changes the fields that are given; null removes one. A change never starts the job. */
  @Patch(':id')
  @ApiBody({ schema: toOpenApiSchema(JobChangeInput, { enabled: false, max_runs: null }) })
  @RequireScope('admin:write')
  async change(@Param('id') id: string, @Body() change: object, @Viewer() caller: Principal): Promise<CronJobDto> {
    return this.toDto(await this.jobs.change(caller.tenant, id, change, caller.principal));
  }

  /** Removes a job. Its messages that wait end as cancelled. */
  @Delete(':id')
  @HttpCode(204)
  @RequireScope('admin:write')
  async remove(
    @Param('id') id: string,
    @Query(query) { running }: RemoveCronJobQuery,
    @Viewer() { tenant, principal }: Principal,
  ): Promise<void> {
    await this.jobs.remove(tenant, id, principal, running === 'cancel');
  }

  /** Starts a job now, beside its schedule and under the same rules. */
  @Post(':id/run')
  @HttpCode(200)
  @RequireScope('admin:write')
  async run(@Param('id') id: string, @Viewer() { tenant, principal }: Principal): Promise<CronRunDto> {
    return toRunDto(await this.jobs.run(tenant, id, principal));
  }

  /** The coming due times, 10 by default. */
  @Get(':id/next')
  @RequireScope('admin:read')
  async next(
    @Param('id') id: string,
    @Query(query) { count = DEFAULT_TIMES }: CronNextQuery,
    @Viewer() { tenant }: Principal,
  ): Promise<CronTimesDto> {
    const job = await this.jobs.get(tenant, id);
    const { timezone } = definitionOf(job).schedule;
    return { items: [...(await this.jobs.next(job, count))], timezone, zone_data: zoneDataVersion() };
  }

  /** The runs and the due times that were skipped, newest first. */
  @Get(':id/runs')
  @RequireScope('admin:read')
  async runs(
    @Param('id') id: string,
    @Query(query) { limit = DEFAULT_LIMIT, cursor }: CursorQuery,
    @Viewer() { tenant }: Principal,
  ): Promise<CronRunsDto> {
    const cursors = new Cursors<number>('cron runs', tenant, id);
    const runs = await this.jobs.history(tenant, id, limit + 1, cursors.decode(cursor));
    const page = runs.slice(0, limit);
    const last = runs.length > limit ? page.at(-1) : undefined;
    return { items: page.map(toRunDto), ...(last && { next: cursors.encode(last.run) }) };
  }

  private async toDto(job: CronJob): Promise<CronJobDto> {
    const { jobId, tenant, isEnabled, createdAt, lastDue, firings, failures, stopped } = job;
    const definition = definitionOf(job);
    const { schedule, expires_at, ...input } = toInput(definition);
    return {
      job_id: jobId,
      tenant,
      enabled: isEnabled,
      ...(input as Omit<typeof input, 'target'> & Pick<CronJobDto, 'misfire' | 'overlap' | 'retries' | 'target'>),
      schedule: schedule as CronScheduleDto,
      words: describeSchedule(definition.schedule),
      jitter_ms: definition.jitterMs,
      approval_wait_ms: definition.approvalWaitMs,
      min_interval_ms: definition.minIntervalMs,
      ...(typeof expires_at === 'number' && { expires_at }),
      made_by: definition.maker.principal,
      created_at: createdAt,
      ...(lastDue !== undefined && { last_due: lastDue }),
      next: [...(await this.jobs.next(job, SHOWN_TIMES))],
      zone_data: zoneDataVersion(),
      firings,
      failures,
      ...(stopped !== undefined && { stopped }),
    };
  }
}

function toRunDto(run: CronRun): CronRunDto {
  const { due, kind, status, reason, attempt, messageRef, sessionId, startedAt, endedAt, usage, count, firstDue } = run;
  return {
    due,
    kind,
    status,
    ...(reason !== undefined && { reason }),
    attempts: attempt,
    ...(messageRef !== undefined && { message_ref: messageRef }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(startedAt !== undefined && { started: startedAt }),
    ...(endedAt !== undefined && { ended: endedAt }),
    ...(usage !== undefined && { usage: JSON.parse(usage) as object }),
    ...(count !== undefined && { count }),
    ...(firstDue !== undefined && { first_due: firstDue }),
  };
}
