import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { AuditStore } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Metrics, type Gauge } from '../telemetry/metrics.js';
import { Clock, DAY_MS } from '../time/clock.js';

const READ_INTERVAL_MS = 60_000;

/**
 * Reports the head of the audit trail outside the store: its number as a metric, and each day number and hash in the logs.
 * A trail that was cut or rewritten is recognised by them (`openclaw audit verify --known`).
 */
@Injectable()
export class AuditHeadService {
  private readonly log: Log;
  private readonly entries: Gauge;
  private loggedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly audit: AuditStore,
    private readonly clock: Clock,
    metrics: Metrics,
    logs: Logs,
  ) {
    this.log = logs.for('store');
    this.entries = metrics
      .gauge({ name: 'openclaw_audit_entries', help: 'The number of the newest row of the audit trail.' })
      .with({});
  }

  @StartStep({ name: 'report the head of the audit trail', phase: 'run' })
  async start(): Promise<Undo> {
    await this.report();
    return this.clock.setRepeating(READ_INTERVAL_MS, () => void this.report());
  }

  private async report(): Promise<void> {
    try {
      const { sequence, hash } = await this.audit.readAuditHead();
      this.entries.set(sequence);
      if (this.clock.elapsed() - this.loggedAt < DAY_MS) return;
      this.loggedAt = this.clock.elapsed();
      this.log.info({ head: `${sequence}:${hash}` }, 'head of the audit trail');
    } catch (error) {
      this.log.debug({ error }, 'the head of the audit trail could not be read; trying again in a minute');
    }
  }
}
