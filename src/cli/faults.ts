/** Exit codes of every command (settings.md section 4). */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** The command line is wrong. `command` names the one whose usage helps; undefined: that of `openclaw` itself. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    message: string,
    readonly command?: string,
  ) {
    super(message);
  }
}

/** Nobody answers at the gateway's address. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';

  constructor(url: string, cause: string) {
    super(
      `No gateway answers at ${url} (${cause}).\n` +
        'Start one with `openclaw start`, or say where it is with --url or OPENCLAW_URL.',
    );
  }
}
