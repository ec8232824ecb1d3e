import type { Terminal } from './terminal.js';

/** One command of `openclaw`. */
export interface Command {
  readonly name: string;
  /** One line of the overview. */
  readonly summary: string;
  /** What `openclaw NAME --help` prints. */
  readonly usage: string;
  /** Answers the exit code. @throws UsageError, UnreachableError, and any Error with a message for people (exit code 1) */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}
