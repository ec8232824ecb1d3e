import type { OutboundFrame } from '../../protocol/index.js';
import type { ToolResultPayload } from '../../protocol/nodes.js';
import type { Timers } from '../timers.js';
import type { CallBook } from './call-book.js';
import { CommandError, type NodeCommandSetup } from './commands.js';

const MAX_MESSAGE_LENGTH = 4_096;

/** The line that a runner works for. */
export interface RunnerHost {
  /** Sends a result. Returns false without a connection. */
  sendResult(result: ToolResultPayload): boolean;
  sendProgress(callId: string, detail: string): void;
  /**
   * Returns the content of a call as its result carries it: what is binary or too large for a frame is uploaded.
   * @throws CommandError
   */
  prepare(callId: string, content: unknown, signal: AbortSignal): unknown;
}

/** Runs the calls of a node: each once, within its time limit, and answers repeats with the result that is kept. */
export class CallRunner {
  readonly #running = new Map<string, AbortController>();

  constructor(
    private readonly commands: ReadonlyMap<string, NodeCommandSetup>,
    private readonly book: CallBook,
    private readonly timers: Timers,
    private readonly host: RunnerHost,
  ) {}

  /** Handles a `tool_call`. Never rejects. */
  async call({ payload, session_id: sessionId }: OutboundFrame<'tool_call'>): Promise<void> {
    const { call_id: callId, idempotent } = payload;
    const known = this.book.find(callId);
    if (known?.result) return void this.host.sendResult(known.result);
    if (known) return;
    try {
      await this.book.begin(callId, idempotent);
    } catch (error) {
      // Not recorded: it must not start, since a repeat would start it again.
      const message = `the device cannot record the call: ${(error as Error).message}`;
      return void this.host.sendResult(failed(callId, 'NOT_RECORDED', message));
    }
    const result = await this.#run(payload, sessionId);
    await this.book.end(callId, result).catch(() => {});
    this.host.sendResult(result);
  }

  /** Handles a `tool_cancel`: the call ends, and its result confirms that. */
  cancel(callId: string): void {
    this.#running.get(callId)?.abort(new CommandError('CANCELLED', 'the call was cancelled'));
  }

  /** Ends all calls that run, when the program ends. */
  cancelAll(): void {
    for (const callId of this.#running.keys()) this.cancel(callId);
  }

  async #run(
    {
      call_id: callId,
      command: name,
      parameters,
      timeout_ms: timeoutMs,
      traceparent,
    }: OutboundFrame<'tool_call'>['payload'],
    sessionId: string | undefined,
  ): Promise<ToolResultPayload> {
    const command = this.commands.get(name);
    if (!command) return failed(callId, 'NOT_FOUND', `this device has no command ${name}`);
    const stop = new AbortController();
    const { signal } = stop;
    this.#running.set(callId, stop);
    const stopTimer = this.timers.setTimer(timeoutMs, () =>
      stop.abort(new CommandError('TIMEOUT', `the command did not end within ${timeoutMs} ms`)),
    );
    const progress = (detail: string) => this.host.sendProgress(callId, detail);
    try {
      const content = await untilAborted(signal, async () => {
        const done = await command.run(parameters as Readonly<Record<string, unknown>>, {
          ...{ callId, sessionId, traceparent, signal, progress },
        });
        return this.host.prepare(callId, done, signal);
      });
      return { call_id: callId, ok: true, content: content ?? null };
    } catch (error) {
      return describe(callId, error);
    } finally {
      stopTimer();
      this.#running.delete(callId);
    }
  }
}

/** Ends when the signal aborts, whatever the command does. */
function untilAborted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    run().then(resolve, reject);
  });
}

function describe(callId: string, error: unknown): ToolResultPayload {
  if (error instanceof CommandError) return failed(callId, error.code, error.message);
  return failed(callId, 'FAILED', error instanceof Error ? error.message : String(error));
}

export function failed(callId: string, code: string, message: string): ToolResultPayload {
  const text = message.slice(0, MAX_MESSAGE_LENGTH).replaceAll('\u0000', '').toWellFormed();
  return { call_id: callId, ok: false, error: { code, message: text } };
}
