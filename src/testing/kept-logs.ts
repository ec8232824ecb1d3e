import { Logs, type Log } from '../core/telemetry/logs.js';

type Write = (fields: object, message: string) => void;

/** Logs in memory for tests: each line is `level message`; its fields are beside it. */
export class KeptLogs extends Logs {
  readonly lines: string[] = [];
  /** The fields of each line. */
  readonly fields: object[] = [];

  override for(): Log {
    const keep =
      (level: string): Write =>
      (fields, message) => {
        this.lines.push(`${level} ${message}`);
        this.fields.push(fields);
      };
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
