import { ApiProperty } from '@nestjs/swagger';

export const HEALTH_STATUSES = ['healthy', 'degraded', 'draining'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** Whole numbers have no type of their own in TypeScript, so the document must be told. */
const whole = { type: 'integer', minimum: 0 } as const;

/** How the gateway is. Strangers are told `status` and `uptime_seconds` only. */
export class HealthReport {
  /** `degraded`: it runs, but cannot take messages or has no room for more; `draining`: it is leaving. */
  @ApiProperty({ enum: HEALTH_STATUSES })
  status!: HealthStatus;

  /**
   * Whole seconds since the process began to start.
   * @example 3600
   */
  @ApiProperty(whole)
  uptime_seconds!: number;

  /**
   * Channels whose drivers are connected to their platform, in alphabetical order.
   * @example ["telegram", "whatsapp"]
   */
  connected_channels?: string[];

  /** Sessions used within the last five minutes, or with work waiting. Missing while the store cannot be asked. */
  @ApiProperty(whole)
  active_sessions?: number;

  /** Messages that wait, in all sessions. Missing while the store cannot be asked. */
  @ApiProperty(whole)
  queued_messages?: number;

  /** Tools in the registry. */
  @ApiProperty(whole)
  registered_tools?: number;

  /** Resident memory of the process, in MiB. */
  @ApiProperty(whole)
  memory_usage_mb?: number;
}
