/** The context of a running command. */
export interface CommandContext {
  /** The same for each repeat of the call. */
  readonly callId: string;
  readonly sessionId: string | undefined;
  /** The W3C trace context of the call, for requests of the command; undefined where the gateway makes no traces. */
  readonly traceparent?: string | undefined;
  /** Aborts at the time limit and when the call is cancelled. The command then ends what it has started. */
  readonly signal: AbortSignal;
  /** Reports the progress to people, in a few words. */
  readonly progress: (detail: string) => void;
}

/** A command of a node. */
export interface NodeCommandSetup {
  /** Letters, digits, `_`, `-` and `.`: `camera.snap`. */
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of an object. The gateway validates the parameters with it. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly permissions?: readonly string[];
  /** Milliseconds, at least 1000; 30000 by default. */
  readonly timeoutMs?: number;
  /** True if the same call may run again when a crash has hidden its outcome. */
  readonly idempotent?: boolean;
  /** True if a person must approve each call. */
  readonly dangerous?: boolean;
  /** Returns or resolves with JSON, or with {@link NodeMedia}. @throws CommandError, or any Error */
  run(parameters: Readonly<Record<string, unknown>>, context: CommandContext): unknown;
}

/** Bytes as the content of a result: a picture, a file. They are uploaded. */
export class NodeMedia {
  constructor(readonly bytes: Uint8Array | Blob) {}

  get size(): number {
    return 'size' in this.bytes ? this.bytes.size : this.bytes.byteLength;
  }
}

/** A failure of a command with a code that the agent sees: `PERMISSION_DENIED`. */
export class CommandError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'CommandError';
  }
}
