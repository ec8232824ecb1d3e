import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { FrameClient } from './frame-client.js';

const READY = /ready at http:\/\/127\.0\.0\.1:(\d+)/;
const COMMAND = fileURLToPath(new URL('../../bin/openclaw.js', import.meta.url));
const WITH_MODULE = fileURLToPath(new URL('gateway-with-module.mjs', import.meta.url));

export interface GatewayProcessOptions {
  /** The folder of the store and the settings file. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The path of a file with a module that the gateway has in addition. */
  readonly module?: string;
  /** The script to run in place of `openclaw start`. */
  readonly script?: string;
  /** True if the process leads its own process group, as under a service manager. */
  readonly leadsGroup?: boolean;
  /** The user and the group of the process; only root can choose them. */
  readonly user?: number;
  /** The `openclaw` to start, when no script is given: that of the repository, or of an installation. */
  readonly command?: string;
}

/** Time for the output of a process that has ended: a child that outlives it may hold the output open. */
const MAX_READING_MS = 5_000;

/** The built gateway as a separate process that a test can kill. */
export class GatewayProcess {
  /** The output so far, of both streams. */
  output = '';
  /** Resolves once the process has ended and its output is read. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  private listener: ((output: string) => void) | undefined;
  private readonly child: ChildProcess;
  private readonly portFound: Promise<number>;

  private readonly folder: string;

  constructor(options: GatewayProcessOptions) {
    const { folder, env = {}, module, script, command = COMMAND, leadsGroup = false, user } = options;
    this.folder = folder;
    const args = module === undefined ? (script === undefined ? [command, 'start'] : [script]) : [WITH_MODULE, module];
    this.child = spawn(process.execPath, args, {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        OPENCLAW_GATEWAY_PORT: '0',
        OPENCLAW_LOG_LEVEL: 'warn',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: leadsGroup,
      ...(user !== undefined && { uid: user, gid: user }),
    });
    const read = once(this.child, 'close');
    this.exited = once(this.child, 'exit').then(async ([code, signal]) => {
      await Promise.race([read, setTimeout(MAX_READING_MS, undefined, { ref: false })]);
      return { code, signal } as never;
    });
    this.portFound = new Promise((resolve, reject) => {
      const take = (chunk: Buffer) => {
        this.output += chunk.toString();
        this.listener?.(this.output);
        const port = READY.exec(this.output)?.[1];
        if (port) resolve(Number(port));
      };
      this.child.stdout?.on('data', take);
      this.child.stderr?.on('data', take);
      void this.exited.then(() => reject(new Error(`the gateway ended before it was ready:\n${this.output}`)));
    });
    // A test that never reads the port may expect the process to end before it is ready.
    this.portFound.catch(() => {});
  }

  get pid(): number {
    return this.child.pid as number;
  }

  /** The headers of the operator `local`, for a gateway without configured tokens and with the usual store. */
  get localHeaders(): { readonly authorization: string } {
    return { authorization: `Bearer ${readFileSync(join(this.folder, 'data/local.token'), 'utf8').trim()}` };
  }

  /** Resolves when the gateway is ready. Rejects with its output when it ends before. */
  get port(): Promise<number> {
    return this.portFound;
  }

  /** Opens a connection of the operator `local`. Resolves once it is connected. */
  async connect(clientId: string): Promise<FrameClient> {
    const client = await FrameClient.open(await this.port, `?client_id=${clientId}`, { headers: this.localHeaders });
    await client.next('connected');
    return client;
  }

  /** Calls `listener` with the output so far whenever there is more. */
  onOutput(listener: (output: string) => void): void {
    this.listener = listener;
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  /** Kills the process if it still runs, and waits for its end. */
  async end(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.kill();
    await this.exited;
  }
}
