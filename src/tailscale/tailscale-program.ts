import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TailscaleError } from './tailscale-error.js';

/** Time limit of a call, in milliseconds. */
export const CALL_TIMEOUT_MS = 10_000;
/** Output beyond this is not kept, in bytes. The status of a tailnet lists all its machines. */
const MAX_OUTPUT_BYTES = 33_554_432;

/** Paths of the program that the short PATH of a service lacks. */
const USUAL_FOLDERS = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
  '/run/current-system/sw/bin',
  '/Applications/Tailscale.app/Contents/MacOS',
  'C:\\Program Files\\Tailscale',
];
const NAMES = process.platform === 'win32' ? ['tailscale.exe'] : ['tailscale', 'Tailscale'];

/** The variables that the program gets. Those of the gateway have secrets. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'TMPDIR', 'SYSTEMROOT', 'PROGRAMDATA', 'LOCALAPPDATA'];

/** A call that has ended. */
export interface ProgramResult {
  /** Null if it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** True if it was killed because it had not ended in time. */
  readonly isLate: boolean;
}

/** The program `tailscale` of this machine. */
export class TailscaleProgram {
  /**
   * @param readPath returns the configured path of the program, if there is one
   * @param readSocket returns the configured socket of tailscaled, if there is one
   */
  constructor(
    private readonly readPath: () => string | undefined,
    private readonly readSocket: () => string | undefined,
  ) {}

  /**
   * Runs the program until it ends.
   * @throws TailscaleError if it cannot be started
   */
  async run(args: readonly string[], timeoutMs = CALL_TIMEOUT_MS): Promise<ProgramResult> {
    const [program, ...all] = this.commandOf(args);
    const child = spawn(program, all, {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      killGroup(child, 'SIGKILL');
    }, timeoutMs);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    try {
      const code = await waitForEnd(child);
      return { code, stdout: stdout(), stderr: stderr(), isLate };
    } finally {
      clearTimeout(limit);
    }
  }

  /** The options before each command. */
  get options(): readonly string[] {
    const socket = this.readSocket();
    return socket === undefined ? [] : [`--socket=${socket}`];
  }

  /** The environment for the program. */
  get environment(): NodeJS.ProcessEnv {
    return Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
  }

  /** Returns the program and its arguments. @throws TailscaleError if there is none */
  commandOf(args: readonly string[]): [program: string, ...args: string[]] {
    return [this.find(), ...this.options, ...args];
  }

  /** Returns the path of the program. @throws TailscaleError if there is none */
  find(): string {
    const configured = this.readPath();
    if (configured !== undefined) {
      if (isProgram(configured)) return configured;
      throw new TailscaleError(`gateway.tailscale_bin: ${configured} is not a program`);
    }
    const folders = [
      ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
      ...USUAL_FOLDERS,
    ];
    const found = folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isProgram);
    if (found !== undefined) return found;
    throw new TailscaleError(
      'the program tailscale is not there: install it (https://tailscale.com/download), or set gateway.tailscale_bin',
    );
  }
}

/** Sends a signal to a program and to all that it has started. */
export function killGroup({ pid }: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** Returns a function that returns what a stream has given so far. */
export function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

function waitForEnd(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new TailscaleError(`the program tailscale cannot be started (${error.message})`, { cause: error })),
    );
    child.once('close', (code) => resolve(code));
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
