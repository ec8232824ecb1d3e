import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { follow } from '../replicas/follow.js';
import { SettingsStore, Store } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ConfigStoreService } from './config-store.service.js';

/** Puts settings that were changed at run time in force, at the start and when another replica changes one. */
@Injectable()
export class StoredSettingsService {
  private readonly log: Log;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly settings: SettingsStore,
    private readonly store: Store,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  @StartStep({ name: 'put run-time settings in force', phase: 'configure' })
  async open(): Promise<void> {
    await this.config.open(this.settings);
  }

  /** A change by another replica is in force within a second, whether its hint arrives or not. */
  @StartStep({ name: 'follow run-time settings', phase: 'follow' })
  follow(): Undo {
    const onError = (error: unknown) =>
      this.log.warn({ error }, 'the settings could not be read; trying again in a second');
    return follow(this.store, this.clock, {
      hints: { config: () => void this.config.reload().catch(onError) },
      poll: () => this.config.reload(),
      onError,
    });
  }
}
