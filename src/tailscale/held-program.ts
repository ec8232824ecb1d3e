import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { collect, killGroup, type TailscaleProgram } from './tailscale-program.js';

/**
 * Runs a program until its standard input ends, which it does when the gateway is killed as well. The program has another
 * input, and what watches ends with the program.
 */
const HOLDER = `
exec 3<&0 </dev/null
"$@" 3<&- &
held=$!
{ cat <&3 >/dev/null; kill "$held" 2>/dev/null; } >/dev/null 2>&1 &
exec 3<&-
wait "$held"
`;

/** Time for a program to end by itself, in milliseconds. */
const END_MS = 2_000;

/** A program in the foreground that ends with the gateway, however the gateway ends. */
export class HeldProgram {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private readonly readOutput: readonly [stdout: () => string, stderr: () => string];
  private hasEnded = false;

  /** @throws TailscaleError if there is no such program */
  constructor(program: TailscaleProgram, args: readonly string[]) {
    const command = program.commandOf(args);
    const isWindows = process.platform === 'win32';
    // Children of a process of Windows end with it.
    const [file, ...rest] = isWindows ? command : (['/bin/sh', '-c', HOLDER, 'sh', ...command] as const);
    this.child = spawn(file, rest, {
      env: program.environment,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: !isWindows,
      windowsHide: true,
    });
    this.child.stdin?.on('error', () => {});
    this.readOutput = [collect(this.child.stdout), collect(this.child.stderr)];
    this.ended = this.waitForEnd();
  }

  get isAlive(): boolean {
    return !this.hasEnded;
  }

  /** Its output so far. */
  get output() {
    const [stdout, stderr] = this.readOutput;
    return { code: this.child.exitCode, stdout: stdout(), stderr: stderr(), isLate: !this.hasEnded };
  }

  /** Ends it, and resolves when it has ended. */
  async end(): Promise<void> {
    this.child.stdin?.destroy();
    const limit = setTimeout(() => killGroup(this.child, 'SIGKILL'), END_MS);
    await this.ended;
    clearTimeout(limit);
  }

  private async waitForEnd(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.once('error', () => resolve());
    });
    this.hasEnded = true;
    killGroup(this.child, 'SIGKILL');
  }
}
