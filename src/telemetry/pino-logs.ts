import { pino, stdTimeFunctions, type Logger } from 'pino';
import type { ConfigStoreService } from '../core/config/config-store.service.js';
import { redactText } from '../core/identity/redact-text.js';
import { LogRing } from '../core/telemetry/log-ring.js';
import { Logs, SUBSYSTEMS, type Log, type Subsystem } from '../core/telemetry/logs.js';
import type { LogLevel } from '../protocol/index.js';
import { KnownSecrets } from './known-secrets.js';
import { DroppingOutput, StandardOutput } from './dropping-output.js';
import { escapeJsonLine, PrettyLines, type LogOutput } from './pretty-lines.js';
import { toLogFields } from './redact.js';

export interface PinoLogsOptions {
  /** Keeps the newest lines. */
  readonly ring?: LogRing;
  /**
   * Standard output when missing. Lines are written synchronously, so lines logged before a crash are not lost. Lines
   * that it throws on are dropped, and counted in the log once it works again.
   */
  readonly output?: LogOutput;
  /** Writes human-readable lines instead of JSON. By default true when standard output is a terminal. */
  readonly pretty?: boolean;
}

/**
 * Names that pino writes itself; a field of the same name would be duplicated in the line, and readers take the last
 * one.
 */
const OWN_NAMES = new Set(['level', 'time', 'msg', 'subsystem']);

/**
 * The logs of the gateway, based on pino: one JSON object per line with `level`, `time` (ISO 8601), `subsystem`, the
 * fields and `msg`.
 *
 * Each subsystem has its level (`info` until {@link PinoLogs.follow}). Known secrets are replaced by exact match, then both
 * redactions of `redact.ts` are applied, before the output and the ring.
 */
export class PinoLogs extends Logs {
  /** The newest lines, for operators. */
  readonly ring: LogRing;
  private readonly logs: ReadonlyMap<Subsystem, PinoLog>;
  private readonly known = new KnownSecrets();

  constructor(options: PinoLogsOptions = {}) {
    super();
    this.ring = options.ring ?? new LogRing();
    const output = new DroppingOutput(options.output ?? new StandardOutput(), (lines, error) =>
      this.for('gateway').error({ lines, error }, 'log lines were dropped'),
    );
    const pretty = options.pretty ?? process.stdout.isTTY;
    const shown = pretty ? new PrettyLines(output) : output;
    const root = pino(
      {
        base: undefined,
        level: 'info',
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        hooks: { streamWrite: (line) => escapeJsonLine(redactText(this.known.hide(line))) },
      },
      { write: (line: string) => this.write(line, shown) },
    );
    this.logs = new Map(SUBSYSTEMS.map((name) => [name, new PinoLog(root.child({ subsystem: name }))]));
  }

  override for(subsystem: Subsystem): Log {
    return this.get(subsystem);
  }

  private write(line: string, output: LogOutput): void {
    this.ring.add(line);
    output.write(line);
  }

  /** Hides a secret that is in no setting. */
  hide(secret: string): void {
    this.known.add(secret);
  }

  /** Hides the secrets of `config`, applies its levels (`log.level`, and `log.<subsystem>` where set), and follows their changes. */
  follow(config: ConfigStoreService): void {
    this.known.follow(config);
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

/** One object per subsystem for the life of the process, so that a level change reaches every holder. */
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
    // Avoids copying fields for a line below the level.
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
