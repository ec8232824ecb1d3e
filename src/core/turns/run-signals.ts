import type { StopReason } from '../queue/message-claims.service.js';

/** The signals of one run of a turn. */
export class RunSignals {
  private readonly agentController = new AbortController();
  private readonly abandonController = new AbortController();
  /** True when the run took longer than its time limit. */
  isTimedOut = false;

  /** @param stop aborts when the run must end. Its reason is a {@link StopReason} */
  constructor(readonly stop: AbortSignal) {
    // AbortSignal.any costs more than everything else in a short turn.
    stop.addEventListener('abort', this.onStop);
    if (stop.aborted) this.onStop();
  }

  /** Aborts when the agent and its tools must end: with {@link stop}, and at the time limit. */
  get agent(): AbortSignal {
    return this.agentController.signal;
  }

  /** Aborts when the run must write nothing more: with {@link stop}, unless the message is cancelled. */
  get abandon(): AbortSignal {
    return this.abandonController.signal;
  }

  /** True when this replica no longer owns the session. */
  get isLeaseLost(): boolean {
    return (this.stop.reason as StopReason | undefined) === 'lease_lost';
  }

  /** Ends the agent because the time limit has passed. */
  timeOut(): void {
    this.isTimedOut = true;
    this.agentController.abort();
  }

  /** Removes the listener from {@link stop}. */
  dispose(): void {
    this.stop.removeEventListener('abort', this.onStop);
  }

  private readonly onStop = (): void => {
    // A cancelled message still gets its end written. Another run continues one that is lost or drained.
    if ((this.stop.reason as StopReason) !== 'cancelled') this.abandonController.abort();
    this.agentController.abort(this.stop.reason);
  };
}
