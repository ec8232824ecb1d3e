import type { Update as BotUpdate } from '@grammyjs/types';
import { Backoff } from '../../core/channels/kit/backoff.js';
import { DeliveryError, DriverError } from '../../core/channels/driver.js';
import { toRaw } from '../../core/channels/kit/raw.js';
import type { Clock } from '../../core/time/clock.js';
import { isRefused, RefusedCallError, type Codes } from '../platform/verdict.js';
import type { BotApi } from './bot-api.js';
import { ALLOWED_UPDATES } from './updates.js';

/** Time for which Telegram holds a poll open while there are no updates, in seconds. */
const POLL_S = 30;
/** A poll that has not returned this long after its time is aborted, in milliseconds. */
const OVERTIME_MS = 10_000;
/** Polls of an earlier run can last this long, in milliseconds. */
const CONFLICT_PATIENCE_MS = 90_000;
/** Pause after such a conflict: at least this long and at most twice as long, in milliseconds. */
const CONFLICT_WAIT_MS = 5_000;
/** Without a successful poll for this long, the connection counts as lost, in milliseconds. */
const LOST_AFTER_MS = 60_000;

/** The code of refusals because of another poll, or of a webhook. */
const CONFLICT: Codes = new Set([409]);

/** A server that does not wait is asked no faster than this while there is nothing new, in milliseconds. */
const MIN_IDLE_MS = 500;

/** The parts of a {@link Poller}. */
export interface PollerOptions {
  readonly api: Pick<BotApi, 'call'>;
  readonly clock: Clock;
  /** Aborts when nothing new should be taken. */
  readonly signal: AbortSignal;
  /** Resolves when the updates are stored or ignored. */
  readonly take: (updates: readonly BotUpdate[]) => Promise<void>;
  /** Called with why polls fail, and with undefined when they succeed again. */
  readonly degrade: (reason: string | undefined) => void;
}

/** Requests updates, and confirms those that are stored: by the offset of the next request, and in no other way. */
export class Poller {
  private offset: number | undefined;
  private readonly startedAt: number;

  constructor(private readonly options: PollerOptions) {
    this.startedAt = options.clock.elapsed();
  }

  /**
   * Makes the first poll, which waits for the end of a poll of an earlier run.
   * @throws DriverError `conflict` when it does not end; DeliveryError
   */
  async start(): Promise<void> {
    await this.poll(0).catch((error: unknown) => {
      if (!this.options.signal.aborted) throw error;
    });
  }

  /** Polls until the signal aborts. @throws DriverError, DeliveryError */
  async run(): Promise<void> {
    const { clock, signal, degrade } = this.options;
    const backoff = new Backoff(clock, signal);
    let succeededAt = clock.elapsed();
    while (!signal.aborted) {
      try {
        const askedAt = clock.elapsed();
        const isMoved = await this.poll(POLL_S);
        if (!isMoved && clock.elapsed() - askedAt < MIN_IDLE_MS) await clock.sleep(MIN_IDLE_MS, signal);
        succeededAt = clock.elapsed();
        backoff.reset();
        degrade(undefined);
      } catch (error) {
        if (signal.aborted) return;
        const isFinal = error instanceof DriverError || error instanceof RefusedCallError;
        if (isFinal || clock.elapsed() - succeededAt > LOST_AFTER_MS) throw error;
        degrade(error instanceof Error ? error.message : String(error));
        await backoff.wait(error instanceof DeliveryError ? error.retryAfterMs : undefined);
      }
    }
  }

  /** Resolves with whether there was something new. */
  private async poll(seconds: number): Promise<boolean> {
    const { signal, take } = this.options;
    const updates = await this.ask(seconds);
    if (signal.aborted) return false;
    await take(updates);
    // Not a maximum: after a week of silence the IDs start again, lower.
    const last = updates.at(-1)?.update_id;
    const next = last === undefined ? this.offset : last + 1;
    const isMoved = next !== this.offset;
    this.offset = next;
    return isMoved;
  }

  private async ask(timeout: number): Promise<readonly BotUpdate[]> {
    const { api, signal } = this.options;
    const offset = this.offset === undefined ? {} : { offset: this.offset };
    for (;;) {
      try {
        const parameters = { timeout, allowed_updates: ALLOWED_UPDATES, ...offset };
        return toUpdates(
          await api.call('getUpdates', parameters, { timeoutMs: timeout * 1_000 + OVERTIME_MS, signal }),
        );
      } catch (error) {
        if (!isRefused(error, CONFLICT)) throw error;
        await this.settle(error);
      }
    }
  }

  /** Removes what excludes polls: a webhook at once, a poll of an earlier run by waiting. @throws DriverError `conflict` */
  private async settle(conflict: RefusedCallError): Promise<void> {
    const { clock, signal } = this.options;
    if (await this.removeWebhook()) return;
    if (clock.elapsed() - this.startedAt > CONFLICT_PATIENCE_MS) throw toConflict(conflict);
    await clock.sleep(CONFLICT_WAIT_MS * (1 + Math.random()), signal);
  }

  /** Updates that wait stay. Resolves with whether there was a webhook. */
  private async removeWebhook(): Promise<boolean> {
    const { api } = this.options;
    const { url = '' } = await api.call('getWebhookInfo');
    if (url !== '') await api.call('deleteWebhook');
    return url !== '';
  }
}

/** Checks what the rest relies on. @throws DeliveryError */
function toUpdates(result: unknown): readonly BotUpdate[] {
  if (Array.isArray(result) && result.every((update) => Number.isSafeInteger(toRaw(update)['update_id'])))
    return result;
  throw new DeliveryError('not_sent', 'the response of Telegram is not a list of updates');
}

function toConflict(error: RefusedCallError): DriverError {
  return new DriverError('conflict', `another program polls with the same token: ${error.words}`);
}
