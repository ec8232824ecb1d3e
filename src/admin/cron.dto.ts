import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, Max, Min } from 'class-validator';
import { MISFIRES, OVERLAPS } from '../core/cron/job.js';
import { MayBeAbsent } from '../http/index.js';

/** An event of a device. */
export class CronEventDto {
  /** @example "door.opened" */
  event!: string;
  /**
   * Absent: of any device.
   * @example "kitchen-mac"
   */
  node_id?: string;
}

/** When a job is due: one of `cron`, `every_ms`, `at` and `on_event`. */
export class CronScheduleDto {
  /** @example "0 8 * * 1-5" */
  cron?: string;
  /** @example 7200000 */
  every_ms?: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  anchor?: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  at?: number;
  on_event?: CronEventDto;
  /** @example "Europe/Paris" */
  timezone!: string;
}

/** A chat: of a sender, or a group or a thread of it. */
export class CronChatDto {
  /** @example "telegram" */
  channel?: string;
  /** @example "5001" */
  sender?: string;
  /** @example "-1009" */
  group_id?: string;
  /** @example "7" */
  thread_id?: string;
}

/** Where a job speaks. */
export class CronTargetDto extends CronChatDto {
  /** True: a session of its own for each run. */
  isolated?: boolean;
  /** The chat that receives the reply of an isolated job. */
  deliver_to?: CronChatDto;
}

/** A job of the cron scheduler. */
export class CronJobDto {
  /** @example "j00mg3k9x2a1b2c3d4e5" */
  job_id!: string;
  /** @example "default" */
  tenant!: string;
  /** @example "news" */
  name!: string;
  enabled!: boolean;
  schedule!: CronScheduleDto;
  /**
   * The schedule in words, for example `at 08:00 on Monday to Friday`.
   * @example "at 08:00 on Monday to Friday"
   */
  words!: string;
  target!: CronTargetDto;
  @ApiProperty({ example: 'What is new today? It is {{due}}.' })
  message!: string;
  @ApiProperty({ enum: MISFIRES })
  misfire!: string;
  /** @example 3600000 */
  grace_ms?: number;
  @ApiProperty({ enum: OVERLAPS })
  overlap!: string;
  /** @example "main" */
  agent?: string;
  /** @example 0 */
  jitter_ms!: number;
  /** @example 600000 */
  timeout_ms?: number;
  /** @example 10 */
  max_runs?: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  expires_at?: number;
  /** @example 0 */
  retries!: number;
  /** @example 0 */
  approval_wait_ms!: number;
  /** @example 10000 */
  min_interval_ms!: number;
  /**
   * Who has made it: its runs have this maker's rights.
   * @example "local"
   */
  made_by!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  created_at!: number;
  /**
   * The last due time that was decided on, in Unix milliseconds.
   * @example 1795766400000
   */
  last_due?: number;
  /**
   * The next due times, at most five, in Unix milliseconds.
   * @example [1795766400000]
   */
  next!: number[];
  /**
   * The version of the zone data that they were computed with.
   * @example "2026c"
   */
  zone_data!: string;
  /**
   * Number of its starts, without those that a person asked for.
   * @example 12
   */
  firings!: number;
  /**
   * Runs that have failed since the last success.
   * @example 0
   */
  failures!: number;
  /**
   * Why the gateway has disabled it.
   * @example "it has run 10 times"
   */
  stopped?: string;
}

export class CronJobsDto {
  items!: CronJobDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** A run of a job, or due times that were skipped. */
export class CronRunDto {
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  due!: number;
  /** `manual`: a person has asked for it. */
  @ApiProperty({ enum: ['scheduled', 'event', 'manual'] })
  kind!: string;
  @ApiProperty({ enum: ['running', 'done', 'failed', 'skipped'] })
  status!: string;
  /**
   * Why it has failed or was skipped.
   * @example "the last run has not ended"
   */
  reason?: string;
  /**
   * Number of tries.
   * @example 1
   */
  attempts!: number;
  /** @example "m_12" */
  message_ref?: string;
  /**
   * The session that was made for this run.
   * @example "s_5b1f0c9a7d2e4f61"
   */
  session_id?: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  started?: number;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  ended?: number;
  @ApiProperty({ type: 'object', additionalProperties: true, example: { input_tokens: 812, output_tokens: 64 } })
  usage?: object;
  /**
   * Number of due times that it stands for, if these are several.
   * @example 604780
   */
  count?: number;
  /**
   * The first of them, in Unix milliseconds; `due` is the last one.
   * @example 1795766400000
   */
  first_due?: number;
}

export class CronRunsDto {
  items!: CronRunDto[];
  /** @example "WzE3LCJ4Z2R6Il0" */
  next?: string;
}

/** Due times, in Unix milliseconds. */
export class CronTimesDto {
  /** @example [1795766400000] */
  items!: number[];
  /** @example "Europe/Paris" */
  timezone!: string;
  /**
   * The version of the zone data that they were computed with.
   * @example "2026c"
   */
  zone_data!: string;
}

/** Selects due times. */
export class CronNextQuery {
  /** @example 10 */
  @MayBeAbsent()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1_000)
  count?: number;
}

/** Options of the removal of a job. */
export class RemoveCronJobQuery {
  /** `cancel` also cancels the turn that runs. */
  @MayBeAbsent()
  @IsIn(['keep', 'cancel'])
  running?: 'keep' | 'cancel';
}
