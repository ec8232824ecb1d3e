import { Logs, type Log, type Subsystem } from '../../src/core/telemetry/logs.js';
import type { LogLevel } from '../../src/protocol/index.js';

export interface LogEntry {
  readonly subsystem: Subsystem;
  readonly level: LogLevel;
  readonly fields: object;
  readonly message: string;
}

/** Records log entries of every level for tests. */
export class RecordingLogs extends Logs {
  readonly entries: LogEntry[] = [];

  override for(subsystem: Subsystem): Log {
    const keep = (level: LogLevel) => (fields: object, message: string) =>
      void this.entries.push({ subsystem, level, fields, message });
    return {
      trace: keep('trace'),
      debug: keep('debug'),
      info: keep('info'),
      warn: keep('warn'),
      error: keep('error'),
      isEnabled: () => true,
    };
  }
}
