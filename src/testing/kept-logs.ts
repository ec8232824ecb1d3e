import { Logs, type Log } from '../core/telemetry/logs.js';

type Write = (fields: object, message: string) => void;

/** Logs in memory for tests: each line is `level message`, without the fields. */
export class KeptLogs extends Logs {
  readonly lines: string[] = [];

  override for(): Log {
    const keep =
      (level: string): Write =>
      (_fields, message) =>
        void this.lines.push(`${level} ${message}`);
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
