/** How the gateway is. */
export class HealthReport {
  /** `degraded`: it runs, but cannot take messages or has no room for more; `draining`: it is leaving. */
  status!: 'healthy' | 'degraded' | 'draining';

  /**
   * Whole seconds since the process began to start.
   * @example 3600
   */
  uptime_seconds!: number;

  /**
   * Channels whose drivers are connected to their platform, in alphabetical order. Only for authenticated callers, like
   * all that follows.
   * @example ["telegram", "whatsapp"]
   */
  connected_channels?: string[];

  /** Sessions used within the last five minutes, or with work waiting. Missing while the store cannot be asked. */
  active_sessions?: number;

  /** Messages that wait, in all sessions. Missing while the store cannot be asked. */
  queued_messages?: number;

  /** Tools in the registry. */
  registered_tools?: number;

  /** Resident memory of the process, in MiB. */
  memory_usage_mb?: number;
}
