import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readUsage, type Usage } from './usage.ts';

/** Every server under test prints its port when it is ready, in one line of this form. */
const READY = /ready at http:\/\/127\.0\.0\.1:(\d+)/;

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** The command that starts a server. */
export interface ServerCommand {
  /** Arguments for Node: the script and its own arguments. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** True for an IPC channel, for scripts that respond to messages. */
  readonly ipc?: boolean;
}

/** A server under test, in its own process. Ends with {@link stop}, or with the benchmark. */
export class ServerProcess implements AsyncDisposable {
  readonly port: number;
  readonly child: ChildProcess;
  /** Time from the start of the process until it was ready, in milliseconds. */
  readonly readyMs: number;

  private constructor(child: ChildProcess, port: number, readyMs: number) {
    this.child = child;
    this.port = port;
    this.readyMs = readyMs;
  }

  /** Starts a server and waits until it is ready. */
  static async start({ args, env = {}, cwd, ipc = false }: ServerCommand): Promise<ServerProcess> {
    const startedAt = performance.now();
    const child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...env },
      ...(cwd !== undefined && { cwd }),
      stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    });
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.removeListener('exit', endWithUs));
    return new ServerProcess(child, await findPort(child), performance.now() - startedAt);
  }

  /** Returns the resources used so far by the process and its children. */
  usage(): Usage {
    return readUsage(this.child.pid as number);
  }

  /** Returns the CPU used while `work` runs, in microseconds. */
  async cpuDuring(work: () => Promise<unknown>): Promise<number> {
    const before = this.usage().cpuUs;
    await work();
    return this.usage().cpuUs - before;
  }

  /**
   * Ends the process and waits for that. By default it is killed: the measurement is complete, and a graceful stop would
   * only wait for the turn that keeps the agent busy.
   */
  async stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill(signal);
    await Promise.race([ended, timeout(STOP_TIMEOUT_MS, 'a server did not stop')]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function findPort(child: ChildProcess): Promise<number> {
  let output = '';
  const found = new Promise<number>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += chunk.toString();
      const port = READY.exec(output)?.[1];
      if (port !== undefined) resolve(Number(port));
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('exit', () => reject(new Error(`a server ended before it was ready:\n${output}`)));
  });
  return Promise.race([found, timeout(START_TIMEOUT_MS, 'a server was not ready in time')]);
}

function timeout(ms: number, message: string): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(message)), ms).unref());
}
