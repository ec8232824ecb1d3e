import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { LimitQuery } from './agents.dto.js';

/** When a job is due: one of `cron`, `every_ms`, `at` and `on_event`. */
export class CronScheduleDto {
  cron?: string;
  every_ms?: number;
  /** Unix milliseconds. */
  anchor?: number;
  /** Unix milliseconds. */
  at?: number;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { event: 'door.opened', node_id: 'kitchen' } })
  on_event?: { event: string; node_id?: string };
  timezone!: string;
}

/** Where a job speaks. */
export class CronTargetDto {
  channel?: string;
  sender?: string;
  group_id?: string;
  thread_id?: string;
  /** True: a session of its own for each run. */
  isolated?: boolean;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { channel: 'telegram', sender: '5001' } })
  deliver_to?: object;
}

/** A job of the cron scheduler. */
export class CronJobDto {
  job_id!: string;
  name!: string;
  enabled!: boolean;
  schedule!: CronScheduleDto;
  /** The schedule in words, for example `at 08:00 on Monday to Friday`. */
  words!: string;
  target!: CronTargetDto;
  message!: string;
  misfire!: string;
  grace_ms?: number;
  overlap!: string;
  agent?: string;
  jitter_ms!: number;
  timeout_ms?: number;
  max_runs?: number;
  /** Unix milliseconds. */
  expires_at?: number;
  retries!: number;
  approval_wait_ms!: number;
  min_interval_ms!: number;
  /** Who has made it: its runs have this maker's rights. */
  made_by!: string;
  /** Unix milliseconds. */
  created_at!: number;
  /** The last due time that was decided on, in Unix milliseconds. */
  last_due?: number;
  /** The next due times, at most five, in Unix milliseconds. */
  next!: number[];
  /** The version of the zone data that they were computed with. */
  zone_data!: string;
  /** How often it was started, without those that a person asked for. */
  firings!: number;
  /** Runs that have failed since the last success. */
  failures!: number;
  /** Why the gateway has disabled it. */
  stopped?: string;
}

export class CronJobsDto {
  items!: CronJobDto[];
  next?: string;
}

/** A run of a job, or due times that were skipped. */
export class CronRunDto {
  /** Unix milliseconds. */
  due!: number;
  /** scheduled, event or manual. */
  kind!: string;
  @ApiProperty({ enum: ['running', 'done', 'failed', 'skipped'] })
  status!: string;
  /** Why it has failed or was skipped. */
  reason?: string;
  /** Number of tries. */
  attempts!: number;
  message_ref?: string;
  /** The session that was made for this run. */
  session_id?: string;
  /** Unix milliseconds. */
  started?: number;
  /** Unix milliseconds. */
  ended?: number;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { input_tokens: 812, output_tokens: 64 } })
  usage?: object;
  /** Number of due times that it stands for, if these are several. */
  count?: number;
  /** The first of them, in Unix milliseconds; `due` is the last one. */
  first_due?: number;
}

export class CronRunsDto {
  items!: CronRunDto[];
  next?: string;
}

/** Due times, in Unix milliseconds. */
export class CronTimesDto {
  items!: number[];
  timezone!: string;
  /** The version of the zone data that they were computed with. */
  zone_data!: string;
}

/** Selects runs. */
export class CronRunsQuery extends LimitQuery {
  /** The `next` of the page before. */
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  cursor?: number;
}

/** Selects due times. */
export class CronNextQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000)
  count?: number;
}

/** How a job is removed. */
export class RemoveCronJobQuery {
  /** `cancel` also cancels the turn that runs. */
  @IsOptional()
  @IsIn(['keep', 'cancel'])
  running?: 'keep' | 'cancel';
}
