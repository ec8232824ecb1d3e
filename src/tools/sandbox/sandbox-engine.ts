/** One megabyte, in bytes. */
export const MEGABYTE = 1_048_576;

/** A command to run in a sandbox. */
export interface SandboxCommand {
  /** Program and arguments; run without a shell. */
  readonly argv: readonly string[];
  /**
   * Absolute path of the folder that the command sees as `/workspace`, the only one of the machine that it may write
   * to.
   */
  readonly workspace: string;
  /** Further folders that the command sees, read-only. */
  readonly mounts?: readonly SandboxMount[];
  /** Standard input of the command; empty by default. */
  readonly input?: Uint8Array;
  readonly limits: SandboxLimits;
  /** Called with each chunk of output. */
  readonly onOutput: (chunk: Uint8Array, stream: 'stdout' | 'stderr') => void;
}

/** A folder of the machine in the sandbox. Both paths are absolute. */
export interface SandboxMount {
  readonly source: string;
  readonly target: string;
}

/** Resource limits of one command. */
export interface SandboxLimits {
  readonly memoryMb: number;
  /** Processor cores; may be fractional. */
  readonly cpu: number;
  /** Concurrent processes and threads. */
  readonly pids: number;
  /** Time limit, in milliseconds. */
  readonly timeoutMs: number;
  /** Largest file that it may write, in bytes; with 0 it may only delete files. */
  readonly fileBytes: number;
}

/** The end of a command. `exitCode` is 128 plus the signal number if a signal ended it. */
export interface SandboxExit {
  readonly exitCode: number;
  readonly isOutOfMemory: boolean;
}

/**
 * The port for sandboxes, which run untrusted commands.
 *
 * Contract: the command runs as an unprivileged user, without network and without the gateway's environment, within its
 * limits. It can write to `/workspace` and to a small `/tmp` only. Of the machine's folders it sees its workspace and its
 * mounts only. When `run` settles, all processes of the command are gone. It settles soon after the signal aborts, and then
 * throws the signal's reason. An engine that cannot provide this protection rejects with {@link SandboxUnavailableError}.
 */
export abstract class SandboxEngine {
  /** Name for people, for example `docker`. */
  abstract readonly name: string;

  /** @throws SandboxUnavailableError when the engine cannot be used here */
  abstract check(): Promise<void>;

  abstract run(command: SandboxCommand, signal: AbortSignal): Promise<SandboxExit>;
}

/** No sandbox is available. The message says what to do. */
export class SandboxUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SandboxUnavailableError';
  }
}

/** Path of the workspace inside the sandbox. */
export const WORKSPACE_MOUNT = '/workspace';
/** User id of commands: `nobody`. */
export const SANDBOX_UID = 65_534;
/** Size of `/tmp`, in bytes of memory. */
export const TMP_BYTES = 67_108_864;
export const MAX_OPEN_FILES = 256;

/** The complete environment of a command. */
export const SANDBOX_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: WORKSPACE_MOUNT,
  LANG: 'C.UTF-8',
};
