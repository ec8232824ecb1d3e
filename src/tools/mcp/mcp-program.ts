import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { McpServerSetting } from './mcp.settings.js';
import { LineBuffer } from './line-buffer.js';
import { parseMessage } from './mcp-message.js';

/** Time for a program to exit after the end of its input, and again after SIGTERM, in milliseconds. */
const GRACE_MS = 500;

/** Limits and callbacks of a program's connection. */
export interface ProgramOptions {
  /** Longest message, and limit of unread input of the program, in bytes. */
  readonly maxMessageBytes: number;
  /** Called with text from the program's standard error. */
  readonly onText: (text: string) => void;
  /** Called with each line of its standard output that is not a message. */
  readonly onNoise: (line: string) => void;
}

const running = new Set<ChildProcess>();
let endsWithGateway = false;

/**
 * Starts a program and speaks MCP over its standard streams. The program runs in its own process group: a signal for
 * the gateway's group does not reach it, and its child processes end with it.
 */
export class ProgramTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  private readonly lines: LineBuffer;
  private child: ChildProcess | undefined;
  private ended: Promise<void> = Promise.resolve();
  private closing: Promise<void> | undefined;

  constructor(
    private readonly setting: McpServerSetting,
    private readonly options: ProgramOptions,
  ) {
    this.lines = new LineBuffer(options.maxMessageBytes);
  }

  /** Starts the program. Rejects if that fails. */
  async start(): Promise<void> {
    const { command = '', args = [], env = {} } = this.setting;
    const child = spawn(command, args, {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.child = child;
    this.ended = this.follow(child);
    child.stdout.on('data', (chunk: Buffer) => this.receive(chunk));
    child.stderr.on('data', (chunk: Buffer) => this.options.onText(chunk.toString()));
    for (const source of [child, child.stdin, child.stdout, child.stderr])
      source.on('error', (error: Error) => this.onerror?.(error));
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.child?.stdin;
    if (this.closing || !stdin?.writable) return Promise.reject(new Error('the program has ended'));
    if (stdin.writableLength > this.options.maxMessageBytes) {
      void this.close();
      return Promise.reject(new Error('the program does not read its input'));
    }
    return new Promise((resolve, reject) => {
      stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Ends the program (end of input, SIGTERM, SIGKILL) and waits for its exit, at most about a second. */
  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    this.child?.stdin?.end();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if (await isSettledWithin(GRACE_MS, this.ended)) return;
      kill(this.child, signal);
    }
    await this.ended;
  }

  private receive(chunk: Buffer): void {
    try {
      for (const line of this.lines.push(chunk)) {
        const message = parseMessage(line);
        if (message) this.onmessage?.(message);
        else if (line.trim() !== '') this.options.onNoise(line);
      }
    } catch (error) {
      this.lines.clear();
      this.onerror?.(error as Error);
      void this.close();
    }
  }

  /** Resolves when the program and its child processes are gone. */
  private async follow(child: ChildProcess): Promise<void> {
    killAtExit(child);
    const closed = new Promise((resolve) => child.once('close', resolve));
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.once('error', resolve);
    });
    kill(child, 'SIGKILL');
    running.delete(child);
    // A process that left the group may keep the streams open.
    if (!(await isSettledWithin(GRACE_MS, closed))) for (const stream of child.stdio) stream?.destroy();
    this.onclose?.();
  }
}

/** Kills the program if the gateway exits without its stop steps. */
function killAtExit(child: ChildProcess): void {
  running.add(child);
  if (endsWithGateway) return;
  endsWithGateway = true;
  process.once('exit', () => {
    for (const program of running) kill(program, 'SIGKILL');
  });
}

function kill(child: ChildProcess | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (child?.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}

async function isSettledWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const late = new AbortController();
  try {
    return await Promise.race([
      promise.then(() => true),
      setTimeout(ms, false, { signal: late.signal, ref: false }).catch(() => false),
    ]);
  } finally {
    late.abort();
  }
}
