import { Injectable } from '@nestjs/common';
import { ConfigStoreService } from '../config/config-store.service.js';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { MediaService } from '../media/media.service.js';
import { SessionResources } from '../sessions/session-resources.js';
import { Store, type SweepLimits } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock, DAY_MS, HOUR_MS } from '../time/clock.js';
import { REMEMBER_IDS_HOURS } from './housekeeping.settings.js';

const SWEEP_INTERVAL_MS = 60_000;
/** Pause between two portions of a sweep, in milliseconds, so that most commits carry none. */
const PORTION_PAUSE_MS = 20;
/** Interval at which stored files are compared with their records; also soon after the start. */
const RECONCILE_INTERVAL_MS = 24 * HOUR_MS;
/** Time for which duplicates are recognised at least (protocol.md section 5), in milliseconds. */
const REMEMBER_IDS_MS = REMEMBER_IDS_HOURS * HOUR_MS;

/** Deletes expired records in small portions. */
@Injectable()
export class HousekeepingService {
  private readonly log: Log;
  private isSweeping = false;
  private reconciledAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly store: Store,
    private readonly media: MediaService,
    private readonly resources: SessionResources,
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('store');
  }

  /** Sweeps every minute. */
  @StartStep({ name: 'delete expired records', phase: 'run' })
  start(): Undo {
    return this.clock.setRepeating(SWEEP_INTERVAL_MS, () => void this.sweep());
  }

  /** Deletes nothing until the returned function is called. Resolves when a sweep that runs has ended. */
  async pause(): Promise<() => void> {
    while (this.isSweeping) await this.clock.sleep(PORTION_PAUSE_MS);
    this.isSweeping = true;
    return () => (this.isSweeping = false);
  }

  private async reconcile(): Promise<void> {
    this.reconciledAt = this.clock.elapsed();
    await this.media.reconcile();
  }

  private async sweep(): Promise<void> {
    if (this.isSweeping) return;
    this.isSweeping = true;
    try {
      while (await this.store.sweep(this.readLimits())) await this.clock.sleep(PORTION_PAUSE_MS);
      while (await this.media.sweep());
      if (this.clock.elapsed() - this.reconciledAt >= RECONCILE_INTERVAL_MS) await this.reconcile();
      await this.resources.sweep();
    } catch (error) {
      this.log.warn({ error }, 'expired records could not be deleted; trying again in a minute');
    } finally {
      this.isSweeping = false;
    }
  }

  private readLimits(): SweepLimits {
    const now = this.clock.now();
    const retentionMs = this.config.get('store.retention_hours') * HOUR_MS;
    const auditMs = this.config.get('store.audit_retention_days') * DAY_MS;
    const sessionTtlMs = this.config.get('store.session_ttl_hours') * HOUR_MS;
    return {
      framesBefore: now - retentionMs,
      dedupeBefore: now - Math.max(REMEMBER_IDS_MS, retentionMs),
      sessionsBefore: sessionTtlMs === 0 ? undefined : now - sessionTtlMs,
      approvalsBefore: now - this.config.get('store.approval_retention_days') * DAY_MS,
      auditBefore: auditMs === 0 ? undefined : now - auditMs,
    };
  }
}
