import type { LogLevel } from '../../protocol/domain.js';

/** The log levels, from most to least detailed. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** The parts of the gateway that log under their own name. `OPENCLAW_LOG_<NAME>` sets the level of one. */
export const SUBSYSTEMS = [
  'gateway',
  'router',
  'queue',
  'tools',
  'agent',
  'channels',
  'store',
  'auth',
  'config',
  'presence',
  'cron',
] as const;
export type Subsystem = (typeof SUBSYSTEMS)[number];

/**
 * The logger of one subsystem. `fields` are structured. They must not contain secrets, nor message text above level
 * debug. An `error` field holds the thrown value.
 */
export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** Check this on hot paths before building fields. */
  isEnabled(level: LogLevel): boolean;
}

/** Creates the logger of each subsystem. */
export abstract class Logs {
  abstract for(subsystem: Subsystem): Log;
}

const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false };

/** Discards all logs; for tests and document generation. */
export class SilentLogs extends Logs {
  override for(): Log {
    return silent;
  }
}
