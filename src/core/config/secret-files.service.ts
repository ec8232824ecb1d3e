import { stat } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ConfigStoreService } from './config-store.service.js';

/** Interval at which files of secrets are looked at, in milliseconds. */
export const LOOK_INTERVAL_MS = 10_000;

/**
 * Follows the files that variables `*_FILE` name: what an orchestrator rotates there comes into force without a restart, where
 * the setting allows it. A file that cannot be read or used changes nothing.
 */
@Injectable()
export class SecretFilesService {
  private readonly log: Log;
  /** The state of the files when they were last read. */
  private seen = '';
  private fault: string | undefined;

  constructor(
    private readonly config: ConfigStoreService,
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('config');
  }

  @StartStep({ name: 'follow files of secrets', phase: 'follow' })
  async start(): Promise<Undo | undefined> {
    if (this.config.secretFiles.length === 0) return undefined;
    // The start has read them a moment ago, before their state was known.
    await this.look();
    return this.clock.setRepeating(LOOK_INTERVAL_MS, () => void this.look());
  }

  private async look(): Promise<void> {
    const state = (await Promise.all(this.config.secretFiles.map(describe))).join();
    if (state === this.seen) return;
    try {
      const keys = this.config.readFiles();
      this.seen = state;
      this.fault = undefined;
      if (keys.length === 0) return;
      const pending = this.config
        .list()
        .flatMap(({ key, isPending }) => (isPending && keys.includes(key) ? [key] : []));
      this.log.info({ keys }, 'files of secrets have changed');
      if (pending.length > 0) this.log.warn({ keys: pending }, 'the new values are in force after a restart');
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.fault)
        this.log.warn({ error }, 'a file of a secret has changed and cannot be used; the value of before stays');
      this.fault = message;
    }
  }
}

/** Returns what changes with each write of a file, or with each replacement. */
async function describe(path: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(path).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
  return `${ino}:${size}:${mtimeMs}`;
}
