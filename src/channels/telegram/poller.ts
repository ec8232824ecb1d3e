import type { Update as BotUpdate } from 'grammy/types';
import { Backoff } from '../../core/channels/backoff.js';
import { DriverError } from '../../core/channels/driver.js';
import type { Clock } from '../../core/time/clock.js';
import { RefusedCallError, type BotApi } from './bot-api.js';
import { ALLOWED_UPDATES } from './updates.js';

/** How long Telegram holds a poll open while there is nothing, in seconds. */
const POLL_S = 30;
/** A poll that has not returned this long after its time is aborted, in milliseconds. */
const OVERTIME_MS = 10_000;
/** Polls of an earlier run can last this long, in milliseconds. */
const CONFLICT_PATIENCE_MS = 90_000;
/** Pause after such a conflict: at least this long and at most twice as long, in milliseconds. */
const CONFLICT_WAIT_MS = 5_000;
/** Without a successful poll for this long, the connection counts as lost, in milliseconds. */
const LOST_AFTER_MS = 60_000;

/** A server that does not wait is asked no faster than this while there is nothing, in milliseconds. */
const MIN_EMPTY_MS = 500;

/** What a {@link Poller} needs. */
export interface PollerOptions {
  readonly api: BotApi;
  readonly clock: Clock;
  /** Aborts when nothing new should be taken. */
  readonly signal: AbortSignal;
  /** Resolves when the updates are stored or ignored. */
  readonly take: (updates: readonly BotUpdate[]) => Promise<void>;
  /** Called with why polls fail, and with undefined when they succeed again. */
  readonly degrade: (reason: string | undefined) => void;
}

/** Asks for updates, and confirms those that are stored: by the offset of the next request, and in no other way. */
export class Poller {
  private offset: number | undefined;
  private succeededAt: number;

  constructor(private readonly options: PollerOptions) {
    this.succeededAt = options.clock.elapsed();
  }

  /**
   * Makes the first poll, which waits for the end of a poll of an earlier run.
   * @throws DriverError `conflict` when it does not end; `bad_credential`, `unreachable`
   */
  async start(): Promise<void> {
    const { clock, signal } = this.options;
    const startedAt = clock.elapsed();
    while (!signal.aborted) {
      try {
        await this.poll(0);
        return;
      } catch (error) {
        if (!(error instanceof RefusedCallError) || error.code !== 409) throw toFault(error);
        if (clock.elapsed() - startedAt > CONFLICT_PATIENCE_MS) throw toConflict(error);
        if (await this.removeWebhook()) continue;
        await clock.sleep(CONFLICT_WAIT_MS * (1 + Math.random()), signal);
      }
    }
  }

  /** Polls until the signal aborts. @throws DriverError */
  async run(): Promise<void> {
    const { clock, signal, degrade } = this.options;
    const backoff = new Backoff(clock, signal);
    this.succeededAt = clock.elapsed();
    while (!signal.aborted) {
      try {
        const askedAt = clock.elapsed();
        const isEmpty = await this.poll(POLL_S);
        if (isEmpty && clock.elapsed() - askedAt < MIN_EMPTY_MS) await clock.sleep(MIN_EMPTY_MS, signal);
        this.succeededAt = clock.elapsed();
        backoff.reset();
        degrade(undefined);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DriverError) throw error;
        if (error instanceof RefusedCallError) throw error.code === 409 ? toConflict(error) : toFault(error);
        if (clock.elapsed() - this.succeededAt > LOST_AFTER_MS) throw toFault(error);
        degrade(error instanceof Error ? error.message : String(error));
        await backoff.wait();
      }
    }
  }

  /** Resolves with whether there was nothing. */
  private async poll(seconds: number): Promise<boolean> {
    const { api, signal, take } = this.options;
    const updates = await api.call(
      (methods, abort) =>
        methods.getUpdates(
          {
            timeout: seconds,
            allowed_updates: ALLOWED_UPDATES,
            ...(this.offset !== undefined && { offset: this.offset }),
          },
          abort as never,
        ),
      { timeoutMs: seconds * 1_000 + OVERTIME_MS, signal },
    );
    if (signal.aborted) return true;
    await take(updates);
    // Not a maximum: the IDs start anew, lower, after a week of silence.
    const last = updates.at(-1)?.update_id;
    if (last !== undefined) this.offset = last + 1;
    return updates.length === 0;
  }

  /** Removes a webhook, which excludes polls. Updates that wait stay. Resolves with whether there was one. */
  private async removeWebhook(): Promise<boolean> {
    const { api } = this.options;
    const { url = '' } = await api.call((methods, abort) => methods.getWebhookInfo(abort as never));
    if (url !== '') await api.call((methods, abort) => methods.deleteWebhook({}, abort as never));
    return url !== '';
  }
}

function toConflict(error: RefusedCallError): DriverError {
  return new DriverError('conflict', `another program polls with the same token: ${error.description}`);
}

/** Returns the fault that ends a run. */
export function toFault(error: unknown): DriverError {
  if (error instanceof DriverError) return error;
  const fault = error instanceof RefusedCallError ? 'misconfigured' : 'unreachable';
  return new DriverError(fault, error instanceof Error ? error.message : String(error));
}
