import { ApiProperty } from '@nestjs/swagger';

/** Severities of warnings, worst first. */
export const SEVERITIES = ['error', 'warning'] as const;

/** A warning about the current state. */
export class WarningDto {
  /** @example "CHANNEL_DOWN" */
  code!: string;
  @ApiProperty({ enum: SEVERITIES })
  severity!: (typeof SEVERITIES)[number];
  /**
   * Since when, as far as this replica knows, in Unix milliseconds.
   * @example 1795766400000
   */
  since!: number;
  /** @example "The channel telegram is not connected: Unauthorized" */
  sentence!: string;
  /**
   * The resource that shows more about it.
   * @example "/admin/v1/channels"
   */
  link!: string;
}

/** A minute of the last hour. */
export class MinuteDto {
  /**
   * Its beginning, in Unix milliseconds.
   * @example 1795766400000
   */
  at!: number;
  /**
   * Messages that were accepted.
   * @example 12
   */
  messages!: number;
  /**
   * Messages that waited at its end.
   * @example 0
   */
  waiting!: number;
  /**
   * Time within which 95% of the replies had their first block, in milliseconds; absent without a reply.
   * @example 812
   */
  first_block_p95_ms?: number;
  /**
   * Turns that ended with an error.
   * @example 0
   */
  failed!: number;
}

/** A replica of the gateway. */
export class ReplicaDto {
  /** @example "r_5b1f0c9a7d2e" */
  replica!: string;
  @ApiProperty({ enum: ['starting', 'live', 'ready', 'draining', 'stopped'] })
  phase!: string;
  /** @example 86400 */
  uptime_seconds!: number;
}

export class StatusCountsDto {
  /** @example 12 */
  connections!: number;
  /** @example 0 */
  waiting!: number;
  /** @example 4 */
  running!: number;
  /**
   * Sessions used within five minutes or with waiting messages; for operators of the whole gateway.
   * @example 9
   */
  active_sessions?: number;
  /** @example 2 */
  agents!: number;
  /** @example 14 */
  tools!: number;
  /**
   * Calls that wait for a decision.
   * @example 1
   */
  approvals!: number;
  /** @example 0 */
  dead_letters!: number;
}

export class StatusMemoryDto {
  /**
   * Resident memory of the process, in mebibytes.
   * @example 140
   */
  rss_mb!: number;
  /** @example 61 */
  heap_mb!: number;
}

export class StatusStoreDto {
  /** @example "sqlite:data/gateway.db" */
  label!: string;
  /** True if a durable commit is possible now. */
  commits!: boolean;
  /**
   * When the last backup was complete, in Unix milliseconds; absent if the audit trail has none.
   * @example 1795766400000
   */
  last_backup_at?: number;
}

export class StatusChannelDto {
  /** @example "telegram" */
  name!: string;
  /** @example "connected" */
  state!: string;
  /**
   * Unix milliseconds.
   * @example 1795766400000
   */
  since!: number;
}

/** The state of the gateway, as far as it concerns the caller's tenant. */
export class StatusDto {
  /** @example "1.0.0" */
  version!: string;
  /** For operators of the whole gateway: this replica. */
  replicas?: ReplicaDto[];
  /** @example 86400 */
  uptime_seconds!: number;
  counts!: StatusCountsDto;
  /** For operators of the whole gateway. */
  memory?: StatusMemoryDto;
  /** For operators of the whole gateway. */
  store?: StatusStoreDto;
  channels!: StatusChannelDto[];
  /** Current warnings, worst first. */
  warnings!: WarningDto[];
  /** The last 60 minutes of this replica, oldest first; the newest one is not over. */
  minutes!: MinuteDto[];
}

/** A replica that stops. */
export class DrainDto {
  /** @example "r_5b1f0c9a7d2e" */
  replica!: string;
  @ApiProperty({ enum: ['draining'] })
  phase!: string;
}
