import { Injectable } from '@nestjs/common';
import { Logs, type Log } from '../telemetry/logs.js';
import { RepeatedLines } from '../telemetry/repeated-lines.js';
import { Clock } from '../time/clock.js';
import { guardProcess } from './extension-guard.js';
import { takeWarnings, type ProcessWarning } from './process-warnings.js';
import { StartStep, type Undo } from './steps.js';

/**
 * Keeps the process when a driver or a tool throws where nothing can catch it. Other such errors end it. Warnings of Node and of
 * `process.emitWarning` go to the log, where the secrets in them are hidden.
 */
@Injectable()
export class ProcessGuardService {
  private readonly log: Log;
  private exit: (() => void) | undefined;
  private unguard: (() => void) | undefined;
  private readonly warnings = new RepeatedLines();
  private releaseWarnings: () => readonly ProcessWarning[] = () => [];

  constructor(
    private readonly clock: Clock,
    logs: Logs,
  ) {
    this.log = logs.for('gateway');
  }

  /** Sets how the process ends. Without it the error is thrown once more, as it is without a guard. */
  onEnd(exit: () => void): void {
    this.exit = exit;
  }

  /** @param releaseWarnings returns the warnings of the process so far, which are logged at the start */
  onStart(releaseWarnings: () => readonly ProcessWarning[]): void {
    this.releaseWarnings = releaseWarnings;
  }

  @StartStep({ name: 'guard the process', phase: 'register', undoneIn: 'release' })
  start(): Undo {
    this.unguard = guardProcess(
      (error) => this.end(error),
      (failure) => this.log.error({ error: failure }, 'an error of a driver or a tool could not be handled'),
    );
    return this.unguard;
  }

  @StartStep({ name: 'log warnings of the process', phase: 'register', undoneIn: 'release' })
  logWarnings(): Undo {
    const stop = this.warnings.start(this.clock);
    const early = this.releaseWarnings();
    const giveBack = takeWarnings((warning) => this.warn(warning));
    for (const warning of early) this.warn(warning);
    return () => {
      giveBack();
      stop();
    };
  }

  private warn(warning: ProcessWarning): void {
    this.warnings.note(`${warning.name} ${warning.message}`, (more) =>
      this.log.warn({ warning, ...more }, 'a warning of the process'),
    );
  }

  private end(error: unknown): void {
    this.log.error({ error }, 'the process ends: an error that nothing has caught');
    if (this.exit) return this.exit();
    this.unguard?.();
    setImmediate(() => {
      throw error;
    });
  }
}
