import type { Guarded } from '../lifecycle/extension-guard.js';
import type { Log } from '../telemetry/logs.js';
import { RepeatedLines, textOf } from '../telemetry/repeated-lines.js';
import type { Clock } from '../time/clock.js';

/** Where a late error comes from, as the log names it. */
export interface ErrorSource {
  readonly tool: string;
  readonly call_id: string;
  readonly session_id: string;
}

/**
 * Logs errors that tools throw where nothing can catch them, often after their calls have ended. The first one of a tool with
 * a text is logged at once; those that follow within the minute are counted in one line at its end.
 */
export class LateErrors {
  private readonly lines = new RepeatedLines();

  constructor(private readonly log: Log) {}

  /** Counts by the minute, until the returned function is called. */
  start(clock: Clock): () => void {
    return this.lines.start(clock);
  }

  /** Returns the owner of what a call starts. */
  ownerOf(source: ErrorSource): Guarded {
    return {
      fail: (error) =>
        this.lines.note(`${source.tool} ${textOf(error)}`, (more) =>
          this.log.error({ ...source, error, ...more }, 'a tool has thrown where nothing can catch it'),
        ),
    };
  }
}
