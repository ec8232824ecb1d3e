/** In bytes. */
export const MEGABYTE = 1_048_576;

/** One command on its way into a sandbox. */
export interface SandboxCommand {
  /** Program and arguments, run without a shell unless the program is one. */
  readonly argv: readonly string[];
  /** Absolute path of the folder that the command sees as `/workspace`: the only place of the machine it may write to. */
  readonly workspace: string;
  /** What the command reads from its standard input; nothing without it. */
  readonly input?: Uint8Array;
  readonly limits: SandboxLimits;
  /** Called with what the command prints, as it comes. */
  readonly onOutput: (chunk: Uint8Array, stream: 'stdout' | 'stderr') => void;
}

/** What one command may use. */
export interface SandboxLimits {
  readonly memoryMb: number;
  /** Processor cores, in parts of one too. */
  readonly cpu: number;
  /** Processes and threads at the same time. */
  readonly pids: number;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The largest file that it may write, in bytes; 0 lets it delete only. */
  readonly fileBytes: number;
}

/** How a command ended. `exitCode` is 128 and the signal's number where a signal ended it. */
export interface SandboxExit {
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
}

/**
 * What runs commands that nobody has looked at: the port behind which every kind of sandbox stands.
 *
 * Contract: the command has an identity without rights, a read-only file system but for `/workspace` and a small `/tmp`,
 * no network, none of the gateway's environment, and the limits that it came with. When `run` settles nothing of the
 * command is left; it settles soon after the signal aborts, whose reason it then throws. An engine never runs a command
 * with less protection than this: it rejects with {@link SandboxUnavailableError}.
 */
export abstract class SandboxEngine {
  /** For people: `docker`. */
  abstract readonly name: string;

  /** @throws SandboxUnavailableError when the engine cannot be used here */
  abstract check(): Promise<void>;

  abstract run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit>;
}

/** There is no sandbox to run a command in. The message says what to do about it. */
export class SandboxUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SandboxUnavailableError';
  }
}

/** Where commands see their workspace. */
export const WORKSPACE_MOUNT = '/workspace';
/** Whose rights commands have: `nobody`. */
export const SANDBOX_UID = 65_534;
/** Room under `/tmp`, in bytes. It is memory. */
export const TMP_BYTES = 67_108_864;
export const MAX_OPEN_FILES = 256;

/** All of the environment of a command. */
export const SANDBOX_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: WORKSPACE_MOUNT,
  LANG: 'C.UTF-8',
};
