import type { LogLevel } from '../../protocol/domain.js';

/** From the most to the least detailed. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** The parts of the gateway that log under a name of their own; `OPENCLAW_LOG_<NAME>` sets the level of one. */
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
] as const;
export type Subsystem = (typeof SUBSYSTEMS)[number];

/**
 * Where one subsystem writes. `fields` are structured; never a secret, and no text of a message at any level above
 * debug. An `error` field holds the thrown value.
 */
export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** For places on the hot path that would have to build their fields first. */
  isEnabled(level: LogLevel): boolean;
}

/** Gives each subsystem its log. */
export abstract class Logs {
  abstract for(subsystem: Subsystem): Log;
}

const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, isEnabled: () => false };

/** Says nothing; the default where nobody listens (tests, document generation). */
export class SilentLogs extends Logs {
  override for(): Log {
    return silent;
  }
}
