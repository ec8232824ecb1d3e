import { Injectable } from '@nestjs/common';
import { Logs, type Log } from '../telemetry/logs.js';
import { guardProcess } from './extension-guard.js';
import { StartStep, type Undo } from './steps.js';

/** Keeps the process when a driver or a tool throws where nothing can catch it. Other such errors end it. */
@Injectable()
export class ProcessGuardService {
  private readonly log: Log;
  private exit: (() => void) | undefined;
  private unguard: (() => void) | undefined;

  constructor(logs: Logs) {
    this.log = logs.for('gateway');
  }

  /** Sets how the process ends. Without it the error is thrown once more, as it is without a guard. */
  onEnd(exit: () => void): void {
    this.exit = exit;
  }

  @StartStep({ name: 'guard the process', phase: 'register', undoneIn: 'release' })
  start(): Undo {
    this.unguard = guardProcess(
      (error) => this.end(error),
      (failure) => this.log.error({ error: failure }, 'an error of a driver or a tool could not be handled'),
    );
    return this.unguard;
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
