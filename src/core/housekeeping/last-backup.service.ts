import { Injectable } from '@nestjs/common';
import { COMPLETED_BACKUP } from '../audit/audit-notes.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { AuditStore } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Metrics, type Gauge } from '../telemetry/metrics.js';
import { Clock, DAY_MS, HOUR_MS } from '../time/clock.js';

const READ_INTERVAL_MS = 60_000;

/** When the store was backed up last, by this or another replica: the audit trail has it. */
@Injectable()
export class LastBackupService {
  private readonly log: Log;
  private readonly gauge: Gauge;
  private time: number | undefined;
  private wasRead = false;

  // oxlint-disable-next-line max-params -- where it is read, compared and reported, each from its own service
  constructor(
    private readonly audit: AuditStore,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('store');
    const help = 'When the last backup was complete, in Unix seconds; 0 if the audit trail has none.';
    this.gauge = metrics.gauge({ name: 'openclaw_last_backup_timestamp_seconds', help }).with({});
  }

  /** When it was complete, in Unix milliseconds; undefined if the audit trail has none. */
  get at(): number | undefined {
    return this.time;
  }

  /** Why the last backup is too old; undefined if it is not, or no backup is expected. */
  get problem(): string | undefined {
    const hours = this.config.get('store.max_backup_age_hours');
    if (hours === 0 || !this.wasRead) return undefined;
    if (this.time === undefined) return 'no backup of the store was made (openclaw backup)';
    const age = this.clock.now() - this.time;
    return age > hours * HOUR_MS ? `the last backup was made ${describeAge(age)} ago (openclaw backup)` : undefined;
  }

  @StartStep({ name: 'look for the last backup', phase: 'run' })
  async start(): Promise<Undo> {
    await this.read();
    return this.clock.setRepeating(READ_INTERVAL_MS, () => void this.read());
  }

  /** Reads it again, for example after one. Never rejects. */
  async read(): Promise<void> {
    try {
      const [row] = await this.audit.listAudit({ action: COMPLETED_BACKUP, order: 'newest', limit: 1 });
      this.time = row?.at;
      this.wasRead = true;
      this.gauge.set((this.time ?? 0) / 1_000);
    } catch (error) {
      this.log.debug({ error }, 'the time of the last backup could not be read; trying again in a minute');
    }
  }
}

function describeAge(ms: number): string {
  return ms < 2 * DAY_MS ? `${Math.floor(ms / HOUR_MS)} hours` : `${Math.floor(ms / DAY_MS)} days`;
}
