import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { Logs, SUBSYSTEMS, type Log, type Subsystem } from '../core/telemetry/logs.js';
import type { LogLevel } from '../protocol/index.js';
import { escapeJsonLine, PrettyLines, type LogOutput } from './pretty-lines.js';
import { redactText, toLogFields } from './redact.js';

export interface PinoLogsOptions {
  /** Standard output when missing. Lines are written at once: what was logged before a crash is there. */
  readonly output?: LogOutput;
  /** Lines for people instead of JSON; by default when standard output is a terminal. */
  readonly pretty?: boolean;
}

/** Names that pino writes itself; a field of the same name would stand twice in the line, and readers take the last. */
const OWN_NAMES = new Set(['level', 'time', 'msg', 'subsystem']);

/**
 * The logs of the gateway on pino: one JSON object a line, `level`, `time` (ISO 8601), `subsystem`, the fields, `msg`.
 * Each subsystem has its level (`info` until {@link PinoLogs.follow}), and both walls of `redact.ts` stand before the
 * output.
 */
export class PinoLogs extends Logs {
  private readonly logs: ReadonlyMap<Subsystem, PinoLog>;

  constructor(options: PinoLogsOptions = {}) {
    super();
    const output = options.output ?? pino.destination({ dest: 1, sync: true });
    const pretty = options.pretty ?? process.stdout.isTTY;
    const root = pino(
      {
        base: undefined,
        level: 'info',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        hooks: { streamWrite: (line) => escapeJsonLine(redactText(line)) },
      },
      pretty ? new PrettyLines(output) : output,
    );
    this.logs = new Map(SUBSYSTEMS.map((name) => [name, new PinoLog(root.child({ subsystem: name }))]));
  }

  override for(subsystem: Subsystem): Log {
    return this.get(subsystem);
  }

  /** Puts the levels of `config` in force (`log.level`, and `log.<subsystem>` where it differs), and every later change. */
  follow(config: ConfigStoreService): void {
    const apply = (name: Subsystem) => this.get(name).setLevel(config.get(`log.${name}`) ?? config.get('log.level'));
    config.watch('log.level', () => SUBSYSTEMS.forEach(apply));
    for (const name of SUBSYSTEMS) config.watch(`log.${name}`, () => apply(name));
    SUBSYSTEMS.forEach(apply);
  }

  private get(subsystem: Subsystem): PinoLog {
    const log = this.logs.get(subsystem);
    if (!log) throw new Error(`There is no log subsystem "${subsystem}"`);
    return log;
  }
}

/** The same object for the whole life of the process, so that a change of the level reaches everybody who holds it. */
class PinoLog implements Log {
  constructor(private readonly logger: Logger) {}

  trace(fields: object, message: string): void {
    this.write('trace', fields, message);
  }

  debug(fields: object, message: string): void {
    this.write('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.write('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.write('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.write('error', fields, message);
  }

  isEnabled(level: LogLevel): boolean {
    return this.logger.isLevelEnabled(level);
  }

  setLevel(level: LogLevel): void {
    this.logger.level = level;
  }

  private write(level: LogLevel, fields: object, message: string): void {
    // Nothing is copied for a line that nobody wants.
    if (!this.logger.isLevelEnabled(level)) return;
    const copied = toLogFields(fields);
    for (const name of Object.keys(copied)) {
      if (!OWN_NAMES.has(name)) continue;
      copied[`${name}_`] = copied[name];
      delete copied[name];
    }
    this.logger[level](copied, message);
  }
}
