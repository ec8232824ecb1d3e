/**
 * Every error that a client can receive, in one table: whether a retry can help, its HTTP status, its log level, and
 * its message, built from typed details. `docs/reference/errors.md` is generated from it.
 */

/** One fault in a payload: its location (a JSON pointer) and what is wrong. */
export interface PayloadFault {
  readonly pointer: string;
  readonly message: string;
}

/** Details of each code; sent in the error's `details`. */
export interface ErrorDetails {
  INVALID_FRAME: { reason: string };
  UNKNOWN_TYPE: { type: string; hint?: string };
  INVALID_PAYLOAD: { faults: readonly PayloadFault[] };
  FORBIDDEN: { reason: string; missing_scope?: string };
  NOT_FOUND: { what: string };
  IDEMPOTENCY_CONFLICT: { id: string };
  RATE_LIMITED: { limit: string };
  QUEUE_FULL: { limit: string; allowed: number };
  QUOTA_EXCEEDED: { quota: string; resets_at: number };
  STALE_RESUME: { after_seq: number; head_seq: number };
  STALE_VERSION: { version: number };
  DRAINING: Record<never, never>;
  STORE_UNAVAILABLE: Record<never, never>;
  TOOL_NOT_FOUND: { tool: string };
  TOOL_DENIED: { tool: string; reason: string; missing_permissions?: readonly string[] };
  TOOL_INVALID_PARAMETERS: { tool: string; faults: readonly PayloadFault[] };
  TOOL_TIMEOUT: { tool: string; timeout_ms: number };
  TOOL_FAILED: { tool: string; reason: string };
  AGENT_FAILED: { reason: string };
  TURN_INTERRUPTED: { attempts: number };
  INTERNAL: { error_id: string };
}

export type ErrorCode = keyof ErrorDetails;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** One row of the table. */
export interface ErrorRow<D> {
  readonly httpStatus: number;
  readonly retryable: boolean;
  /** Its log level: a client's fault is `debug`, what an operator must act on is `error`. */
  readonly level: LogLevel;
  /** When it occurs, for the reference. */
  readonly when: string;
  /** The action for the caller, for the reference. */
  readonly action: string;
  readonly message: (details: D) => string;
}

export const errorTable: { readonly [C in ErrorCode]: ErrorRow<ErrorDetails[C]> } = {
  INVALID_FRAME: {
    httpStatus: 400,
    retryable: false,
    level: 'debug',
    when: 'The frame is not JSON, or not an envelope.',
    action: 'Fix the client; ten in a row close the connection with 4002.',
    message: (d) => `The frame is not a valid envelope: ${d.reason}`,
  },
  UNKNOWN_TYPE: {
    httpStatus: 400,
    retryable: false,
    level: 'debug',
    when: 'No handler serves this frame type.',
    action: 'Use a type of the protocol; `details.hint`, when present, explains more.',
    message: (d) => `Unknown frame type "${d.type}"${d.hint ? `: ${d.hint}` : ''}`,
  },
  INVALID_PAYLOAD: {
    httpStatus: 400,
    retryable: false,
    level: 'debug',
    when: 'The payload does not fit its type.',
    action: 'Correct the fields named by the JSON pointers in `details.faults`.',
    message: (d) => `Invalid payload: ${describeFaults(d.faults)}`,
  },
  FORBIDDEN: {
    httpStatus: 403,
    retryable: false,
    level: 'debug',
    when: 'The credential may not do this.',
    action: 'Use a credential with the scope or binding that `details` names.',
    message: (d) => `Forbidden: ${d.reason}`,
  },
  NOT_FOUND: {
    httpStatus: 404,
    retryable: false,
    level: 'debug',
    when: 'It does not exist, or the caller may not see it.',
    action: 'Check the id and the credential.',
    message: (d) => `Not found: ${d.what}`,
  },
  IDEMPOTENCY_CONFLICT: {
    httpStatus: 409,
    retryable: false,
    level: 'debug',
    when: 'This id was used before with another body.',
    action: 'Send a new message under a new id; repeat an id only with the same body.',
    message: (d) => `The id "${d.id}" was used before with another body; use a new id for a new message`,
  },
  RATE_LIMITED: {
    httpStatus: 429,
    retryable: true,
    level: 'debug',
    when: 'The client sends faster than its limit.',
    action: 'Wait `retry_after_ms` and send the same frame again; a hundred in 10 s close the connection with 4008.',
    message: (d) => `Rate limit reached (${d.limit}); wait before sending again`,
  },
  QUEUE_FULL: {
    httpStatus: 503,
    retryable: true,
    level: 'warn',
    when: 'A queue limit is reached; nothing was stored.',
    action: 'Wait `retry_after_ms` and send the same message again under the same id.',
    message: (d) => `The queue is full (${d.limit}: ${d.allowed}); nothing was stored`,
  },
  QUOTA_EXCEEDED: {
    httpStatus: 429,
    retryable: false,
    level: 'debug',
    when: 'A quota is used up.',
    action: 'Wait until `resets_at` (Unix milliseconds), or ask an operator for more.',
    message: (d) => `The quota ${d.quota} is used up until ${new Date(d.resets_at).toISOString()}`,
  },
  STALE_RESUME: {
    httpStatus: 409,
    retryable: false,
    level: 'debug',
    when:
      '`after_seq` lies beyond the head of the session, or its frame arrived under an `epoch` that is not part of this ' +
      'log: the client knows frames that this gateway does not, because an older copy of the store was put back.',
    action: 'Forget the local state of that session, read `history`, and resume from its `head_seq`.',
    message: (d) =>
      `after_seq ${d.after_seq} is not in the session's log, whose head is ${d.head_seq}; read its history and resume from there`,
  },
  STALE_VERSION: {
    httpStatus: 409,
    retryable: false,
    level: 'debug',
    when: 'The settings have been changed since the caller read the version that its change is based on. Over HTTP alone.',
    action:
      'Read the settings again; `details.version` is the version that they are at. Repeat the change if it is still right.',
    message: (d) =>
      `The settings have been changed meanwhile and are at version ${d.version}; read them again and repeat the change`,
  },
  DRAINING: {
    httpStatus: 503,
    retryable: true,
    level: 'debug',
    when: 'The gateway is shutting down.',
    action: 'Reconnect after `retry_after_ms` and send again under the same id.',
    message: () => 'The gateway is shutting down; reconnect and send again under the same id',
  },
  STORE_UNAVAILABLE: {
    httpStatus: 503,
    retryable: true,
    // The store logs the beginning and the end of a failure; one line per refused frame would fill the same disk.
    level: 'debug',
    when: 'The store cannot commit (disk full, database down); nothing was acknowledged.',
    action: 'Wait `retry_after_ms` and send again under the same id. Operators: see the log of subsystem STORE.',
    message: () => 'The store cannot commit at the moment; nothing was stored',
  },
  TOOL_NOT_FOUND: {
    httpStatus: 404,
    retryable: false,
    level: 'debug',
    when: 'No tool has exactly this name.',
    action: 'Ask for the list with `/tools`; names have no aliases and are case-sensitive.',
    message: (d) => `There is no tool named "${d.tool}"`,
  },
  TOOL_DENIED: {
    httpStatus: 403,
    retryable: false,
    level: 'info',
    when: 'The session or its sender lacks a permission that the tool requires, the tool is disabled, or the call was not approved.',
    action: 'Ask an operator; `details.missing_permissions`, when present, lists the permissions to grant.',
    message: (d) => `The tool "${d.tool}" may not be used here: ${d.reason}`,
  },
  TOOL_INVALID_PARAMETERS: {
    httpStatus: 400,
    retryable: false,
    level: 'debug',
    when: "The parameters do not fit the tool's schema.",
    action: 'Correct the fields named by the JSON pointers in `details.faults`.',
    message: (d) => `Invalid parameters for the tool "${d.tool}": ${describeFaults(d.faults)}`,
  },
  TOOL_TIMEOUT: {
    httpStatus: 504,
    retryable: false,
    level: 'warn',
    when: 'The tool did not finish within its time; a late result is dropped.',
    action: "Try smaller parameters, or raise the tool's timeout.",
    message: (d) => `The tool "${d.tool}" did not finish within ${d.timeout_ms} ms`,
  },
  TOOL_FAILED: {
    httpStatus: 502,
    retryable: false,
    level: 'warn',
    when: 'The tool threw, or its outcome was lost in a crash.',
    action: 'Read `details.reason`; the log has more.',
    message: (d) => `The tool "${d.tool}" failed: ${d.reason}`,
  },
  AGENT_FAILED: {
    httpStatus: 502,
    retryable: false,
    level: 'warn',
    when: 'The agent could not answer.',
    action: 'Read `details.reason`; send the message again under a new id.',
    message: (d) => `The agent failed: ${d.reason}`,
  },
  TURN_INTERRUPTED: {
    httpStatus: 500,
    retryable: false,
    level: 'error',
    when: 'The turn was interrupted (crash, lost lease) as often as `agent.max_attempts` allows.',
    action: 'Send the message again under a new id; the log shows what ended the process.',
    message: (d) => `The answer was interrupted ${d.attempts} times and is given up`,
  },
  INTERNAL: {
    httpStatus: 500,
    retryable: false,
    level: 'error',
    when: 'A fault of the gateway itself.',
    action: 'Report it with `details.error_id`, which the log holds with the cause.',
    message: (d) => `Internal error ${d.error_id}; the log of the gateway has the cause`,
  },
};

function describeFaults(faults: readonly PayloadFault[]): string {
  return faults.map((f) => `${f.pointer || '/'} ${f.message}`).join('; ');
}

/** Length of an error id in characters: the last group of a UUID. */
const ERROR_ID_LENGTH = 12;

/** Retry delay for errors that do not specify one, in milliseconds. */
const DEFAULT_RETRY_AFTER_MS = 1_000;

/** The payload of an `error` frame. */
export interface ErrorPayload {
  code: ErrorCode;
  message: string;
  retryable: boolean;
  retry_after_ms?: number;
  details?: object;
}

/** The payload of an `error` frame, or the `error` of a `stream_end`, as received. */
export interface ReceivedError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly retry_after_ms?: number;
  readonly details?: unknown;
}

/**
 * The error class of the gateway. Its code determines everything else through {@link errorTable}. `cause` is for the
 * log and never reaches a client.
 */
export class GatewayError<C extends ErrorCode = ErrorCode> extends Error {
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly code: C,
    readonly details: ErrorDetails[C],
    options: { cause?: unknown; retryAfterMs?: number; received?: Pick<ErrorPayload, 'message' | 'retryable'> } = {},
  ) {
    super(
      options.received?.message ?? errorTable[code].message(details),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = 'GatewayError';
    this.retryable = (options.received ?? errorTable[code]).retryable;
    this.retryAfterMs = this.retryable ? (options.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS) : undefined;
  }

  /** Creates an INTERNAL error, a fault of the gateway itself, with a new error id, and `cause` for the log. */
  static internal(cause: unknown): GatewayError<'INTERNAL'> {
    return new GatewayError('INTERNAL', { error_id: crypto.randomUUID().slice(-ERROR_ID_LENGTH) }, { cause });
  }

  /** Returns `error` when it is a GatewayError, and an INTERNAL error with `error` as its cause otherwise. */
  static from(error: unknown): GatewayError {
    return error instanceof GatewayError ? error : GatewayError.internal(error);
  }

  /**
   * Creates the client's error from a received payload. Its code may be one that a newer gateway knows and this table
   * does not.
   */
  static fromPayload(payload: ReceivedError): GatewayError {
    return new GatewayError(payload.code as ErrorCode, payload.details ?? {}, {
      received: payload,
      ...(payload.retry_after_ms === undefined ? {} : { retryAfterMs: payload.retry_after_ms }),
    });
  }

  /** Returns the payload that the client receives. */
  toPayload(): ErrorPayload {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.retryAfterMs === undefined ? {} : { retry_after_ms: this.retryAfterMs }),
      ...(Object.keys(this.details).length === 0 ? {} : { details: this.details }),
    };
  }
}
