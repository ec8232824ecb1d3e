import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { follow } from '../replicas/follow.js';
import { SettingsStore, Store } from '../store/index.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ConfigStoreService } from './config-store.service.js';

/** Applies the settings changed at run time, at the start and when another replica changes one. */
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

  @StartStep({ name: 'apply run-time settings', phase: 'configure' })
  async open(): Promise<void> {
    await this.config.open(this.settings);
  }

  /** Applies changes of other replicas within a second, even if a hint is lost. */
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
