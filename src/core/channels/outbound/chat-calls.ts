import type { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError } from '../driver.js';
import { callExtension } from '../../lifecycle/extension-guard.js';
import type { RunContext } from '../run-context.js';

/** Time limit of one call of a driver, in milliseconds. Its outcome is unknown afterwards. */
export const CALL_TIMEOUT_MS = 30_000;

/** The platform takes nothing before a time that it has named earlier: the call was not made. */
export class HeldBackError extends DeliveryError {
  constructor(heldMs: number) {
    super('not_sent', 'the platform takes nothing for a while', heldMs);
  }
}

/** Makes the calls of one chat: each in its turn, with a time limit, and not while the platform takes none. */
export class ChatCalls {
  constructor(
    private readonly run: Pick<RunContext, 'clock' | 'signal' | 'pace' | 'fail'>,
    private readonly lane: ChatLane,
  ) {}

  /** Time for which the platform takes nothing for this chat, in milliseconds; 0 while it takes calls. */
  get heldMs(): number {
    return Math.max(this.lane.heldMs, this.run.pace.heldMs);
  }

  /**
   * Makes a call in its turn. Resolves with what it resolves with, or with its failure: a {@link HeldBackError} if its turn comes
   * while the platform takes nothing. A failure makes the calls of the chat, or of all chats, wait as long as it says.
   * @param prepare is awaited in its turn before the call
   * @throws what `prepare` throws, the abort's reason
   */
  make<T>(call: () => Promise<T>, prepare?: () => Promise<void>): Promise<T | DeliveryError | DriverError> {
    return this.lane.run(async () => {
      if (this.heldMs > 0) return new HeldBackError(this.heldMs);
      await prepare?.();
      this.run.signal.throwIfAborted();
      return this.withinTime(call).catch((error: unknown) => this.toFailure(error));
    });
  }

  private async withinTime<T>(call: () => Promise<T>): Promise<T> {
    const patience = new AbortController();
    const late = this.run.clock.sleep(CALL_TIMEOUT_MS, patience.signal).then(() => {
      throw new DeliveryError('unknown', `the platform has not responded within ${CALL_TIMEOUT_MS / 1_000} s`);
    });
    try {
      return await Promise.race([callExtension(this.run, call), late]);
    } finally {
      patience.abort();
    }
  }

  private toFailure(error: unknown): DeliveryError | DriverError {
    if (error instanceof DriverError) return error;
    if (!(error instanceof DeliveryError)) {
      const message = error instanceof Error ? error.message : String(error);
      return new DeliveryError('unknown', message, undefined, { cause: error });
    }
    const { retryAfterMs = 0, isAccountWide } = error;
    if (retryAfterMs > 0) (isAccountWide ? this.run.pace : this.lane).holdBack(retryAfterMs);
    return error;
  }
}
