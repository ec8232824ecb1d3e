import { stat } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import { StartStep, type Undo } from '../lifecycle/steps.js';
import { Logs, type Log } from '../telemetry/logs.js';
import { Clock } from '../time/clock.js';
import { ConfigStoreService } from './config-store.service.js';
import { SettingsError } from './section.js';

/** Interval at which files of secrets are looked at, in milliseconds. */
export const LOOK_INTERVAL_MS = 10_000;

/**
 * Follows the files that variables `*_FILE` name: what an orchestrator rotates there comes into force without a restart, where
 * the setting allows it. A file that cannot be read or used changes nothing, and does not hold back the others.
 */
@Injectable()
export class SecretFilesService {
  private readonly log: Log;
  /** The state of each file when it was last read without a fault. */
  private readonly seen = new Map<string, string>();
  /** The fault of each file that was last logged. */
  private readonly faults = new Map<string, string>();

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
    const states = await Promise.all(
      this.config.secretFiles.map(async (path) => ({ path, state: await describe(path) })),
    );
    const changed = states.filter(({ path, state }) => this.seen.get(path) !== state);
    if (changed.length === 0) return;
    // Together first: a rule may allow the new values only with each other.
    if (this.adopt(changed) === undefined) return;
    for (const file of changed) this.report(file, this.adopt([file]));
  }

  /** Brings what some files say into force. Returns the fault because of which it cannot, if there is one. */
  private adopt(files: readonly SeenFile[]): string | undefined {
    let keys: readonly string[];
    try {
      keys = this.config.readFiles(files.map(({ path }) => path));
    } catch (error) {
      if (!(error instanceof SettingsError)) return (error as Error).message;
      return error.faults.map(({ key, message }) => `${key}: ${message}`).join('\n');
    }
    for (const { path, state } of files) {
      this.seen.set(path, state);
      this.faults.delete(path);
    }
    if (keys.length === 0) return undefined;
    const pending = this.config.list().flatMap(({ key, isPending }) => (isPending && keys.includes(key) ? [key] : []));
    this.log.info({ keys }, 'files of secrets have changed');
    if (pending.length > 0) this.log.warn({ keys: pending }, 'the new values are in force after a restart');
    return undefined;
  }

  /** Warns of the fault of a file, once. */
  private report({ path }: SeenFile, fault: string | undefined): void {
    if (fault === undefined || fault === this.faults.get(path)) return;
    this.faults.set(path, fault);
    this.log.warn({ path, fault }, 'a file of a secret has changed and cannot be used; the value of before stays');
  }
}

interface SeenFile {
  readonly path: string;
  readonly state: string;
}

/** Returns what changes with each write of a file, or with each replacement. */
async function describe(path: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(path).catch(() => ({ ino: 0, size: 0, mtimeMs: 0 }));
  return `${ino}:${size}:${mtimeMs}`;
}
