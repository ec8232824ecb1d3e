import type { LoggerService } from '@nestjs/common';
import type { Log, Logs } from '../core/telemetry/logs.js';
import type { LogLevel } from '../protocol/index.js';

/** Nest contexts with verbose start-up messages, which are logged at debug. */
const ROUTINE = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
  'WebSocketsController',
  'TerminusModule',
  'HealthCheckService',
]);

/** Adapts Nest's logger, also for third-party Nest modules: subsystem `gateway`, with Nest's context as a field. */
export class NestLogs implements LoggerService {
  private readonly target: Log;

  constructor(logs: Logs) {
    this.target = logs.for('gateway');
  }

  log(message: unknown, ...rest: unknown[]): void {
    const context = rest.at(-1);
    this.write(typeof context === 'string' && ROUTINE.has(context) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  /** Nest passes the context as the last parameter, and for errors a stack before it. */
  private write(level: LogLevel, message: unknown, rest: readonly unknown[]): void {
    if (!this.target.isEnabled(level)) return;
    const fields: Record<string, unknown> = {};
    const more: unknown[] = [];
    for (const [i, value] of rest.entries()) {
      if (value === undefined) continue;
      if (value instanceof Error) fields['error'] = value;
      else if (isStack(value)) fields['stack'] = value;
      else if (typeof value === 'string' && i === rest.length - 1) fields['context'] = value;
      else more.push(value);
    }
    if (more.length > 0) fields['more'] = more;
    if (message instanceof Error) fields['error'] = message;
    else if (typeof message === 'object' && message !== null) fields['detail'] = message;
    this.target[level](fields, describe(message));
  }
}

function isStack(value: unknown): value is string {
  return typeof value === 'string' && /\n\s+at /.test(value);
}

function describe(message: unknown): string {
  if (typeof message === 'string') return message;
  if (message instanceof Error) return message.message;
  return typeof message === 'object' && message !== null ? 'see detail' : String(message);
}
