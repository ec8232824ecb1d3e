import type { Terminal } from './terminal.js';

/** One command of `openclaw`. */
export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** Printed by `openclaw NAME --help`. */
  readonly usage: string;
  /**
   * Returns the exit code. @throws UsageError, UnreachableError, or any Error with a message for the user (exit code 1)
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}
