import { ApiProperty } from '@nestjs/swagger';

const HEALTH_STATUSES = ['healthy', 'degraded', 'draining'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** TypeScript has no integer type, so the schema states it. */
const whole = { type: 'integer', minimum: 0 } as const;

/** The state of the gateway. Unauthenticated callers get only `status` and `uptime_seconds`. */
export class HealthReport {
  /** `degraded`: it runs, but something is wrong: the store, the queue, the disk, the age of the last backup, memory, the event loop, a channel, an agent whose models do not answer, or how it is reached; `draining`: it is shutting down. */
  @ApiProperty({ enum: HEALTH_STATUSES })
  status!: HealthStatus;

  /**
   * Whole seconds since the process started.
   * @example 3600
   */
  @ApiProperty(whole)
  uptime_seconds!: number;

  /**
   * Channels of the caller's tenant whose drivers are connected to their platform, in alphabetical order.
   * @example ["telegram", "whatsapp"]
   */
  connected_channels?: string[];

  /**
   * Sessions of the caller's tenant used within the last five minutes, or with waiting work. Missing while the store is unavailable.
   * @example 12
   */
  @ApiProperty(whole)
  active_sessions?: number;

  /**
   * Waiting messages of the caller's tenant. Missing while the store is unavailable.
   * @example 3
   */
  @ApiProperty(whole)
  queued_messages?: number;

  /**
   * Tools in the registry.
   * @example 18
   */
  @ApiProperty(whole)
  registered_tools?: number;

  /**
   * Resident memory of the process, in MiB.
   * @example 140
   */
  @ApiProperty(whole)
  memory_usage_mb?: number;

  /**
   * Why it is degraded, a sentence for each part; for callers with `admin:read` and a credential for all tenants.
   * @example ["not reachable through Tailscale: Tailscale is logged out: run `sudo tailscale up`"]
   */
  reasons?: string[];
}
