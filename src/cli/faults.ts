/** Exit codes of every command (settings.md section 4). */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** The command line is wrong. `command` is the one whose help is named; undefined for that of `openclaw` itself. */
export class UsageError extends Error {
  override readonly name = 'UsageError';

  constructor(
    message: string,
    readonly command?: string,
  ) {
    super(message);
  }
}

/** No gateway responds at the given address. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';

  constructor(url: string, cause: string) {
    super(
      `No gateway answers at ${url} (${cause}).\n` +
        'Start one with `openclaw start`, or set its address with --url or OPENCLAW_URL.',
    );
  }
}

/** The gateway refuses a request. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    message: string,
    /** The HTTP status. */
    readonly status: number,
  ) {
    super(message);
  }
}
