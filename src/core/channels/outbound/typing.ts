import { ExpiringMap } from '../../cache/expiring-map.js';
import { HOUR_MS } from '../../time/clock.js';
import type { ChatLane } from './chat-lane.js';
import { DeliveryError, DriverError, type Place } from '../driver.js';
import { callExtension } from '../../lifecycle/extension-guard.js';
import type { RunContext } from '../run-context.js';

/** Pause between two calls, in milliseconds. Platforms show one for about 5 s. */
const REPEAT_MS = 4_000;
const MAX_FAILURES = 3;
const MAX_CHATS = 10_000;

/**
 * Shows that replies are being written. A call is never made again after a failure: platforms ban programs for storms of
 * refused ones. A chat that refuses it is left alone for an hour.
 */
export class Typing {
  /** The chats that have refused it. */
  private readonly refused: ExpiringMap<string, true>;

  constructor(private readonly run: RunContext) {
    this.refused = new ExpiringMap(MAX_CHATS, HOUR_MS, () => run.clock.elapsed());
  }

  /**
   * Shows it while `isWriting` is true, but not while the platform makes the chat wait, until `stop` aborts or the run ends; then
   * it is taken back where that is possible.
   */
  async show(place: Place, lane: ChatLane, isWriting: () => boolean, stop: AbortSignal): Promise<void> {
    await this.repeat(place, lane, isWriting, stop);
    const { driver, moved, log, signal } = this.run;
    if (!driver.hideTyping || signal.aborted) return;
    await callExtension(this.run, async () => driver.hideTyping?.(moved.current(place))).catch((error: unknown) => {
      if (error instanceof DriverError) this.run.fail(error);
      else log.debug({ error, chat: place.chat }, 'typing could not be taken back');
    });
  }

  private async repeat(place: Place, lane: ChatLane, isWriting: () => boolean, stop: AbortSignal): Promise<void> {
    const { driver, clock, signal, log, pace } = this.run;
    const isOver = AbortSignal.any([signal, stop]);
    for (let failures = 0; failures < MAX_FAILURES && isWriting() && !isOver.aborted;) {
      if (this.refused.has(place.chat)) return;
      try {
        if (lane.heldMs === 0 && pace.heldMs === 0)
          await callExtension(this.run, async () => driver.showTyping?.(this.run.moved.current(place)));
        failures = 0;
      } catch (error) {
        failures++;
        if (error instanceof DriverError) return this.run.fail(error);
        log.debug({ error, chat: place.chat }, 'typing could not be shown');
        if (error instanceof DeliveryError && error.outcome === 'refused') this.refused.set(place.chat, true);
      }
      await clock.sleep(REPEAT_MS, isOver);
    }
  }
}
