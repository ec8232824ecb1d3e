import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../core/lifecycle/steps.js';
import { Store } from '../core/store/index.js';
import { Logs, type Log } from '../core/telemetry/logs.js';
import { Clock, DAY_MS } from '../core/time/clock.js';

const SWEEP_INTERVAL_MS = 60_000;
const PORTION_PAUSE_MS = 20;
/** Time for which places of replies and sent parts are kept, in milliseconds: longer than any frame can be resumed. */
const KEPT_MS = 7 * DAY_MS;
/** Time for which dead letters are kept, in milliseconds. */
const LETTERS_KEPT_MS = 30 * DAY_MS;

/** Deletes expired rows of the channels in a process that has nothing else to delete. */
@Injectable()
export class SettledRowsService {
  private readonly log: Log;
  private isSweeping = false;

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('store');
  }

  @StartStep({ name: 'delete expired records', phase: 'run' })
  start(): Undo {
    return this.clock.setRepeating(SWEEP_INTERVAL_MS, () => void this.sweep());
  }

  private async sweep(): Promise<void> {
    if (this.isSweeping) return;
    this.isSweeping = true;
    const now = this.clock.now();
    const limits = {
      framesBefore: now - KEPT_MS,
      dedupeBefore: now - KEPT_MS,
      sessionsBefore: undefined,
      approvalsBefore: now - LETTERS_KEPT_MS,
      auditBefore: undefined,
    };
    try {
      while (await this.store.sweep(limits)) await this.clock.sleep(PORTION_PAUSE_MS);
    } catch (error) {
      this.log.warn({ error }, 'expired records could not be deleted; trying again in a minute');
    } finally {
      this.isSweeping = false;
    }
  }
}
