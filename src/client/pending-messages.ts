import type { Transmitter } from './reconnecting-link.js';
import type { ReplyFeed } from './reply-feed.js';
import type { Timers } from './timers.js';

/**
 * Maximum number of sent messages without a response. Smaller after a refusal, so that a rate-limited client is not
 * refused again at once.
 */
const WINDOW = 32;
const WINDOW_AFTER_REFUSAL = 4;
const MAX_PAUSE_MS = 5_000;
const MAX_DELAY_MS = 30_000;
/** Time without a response to a message after which the connection is checked, and checked again. */
const PATIENCE_MS = 3_000;

/** A message that the gateway has not acknowledged yet. */
interface Entry {
  readonly id: string;
  readonly text: string;
  readonly feed: ReplyFeed;
  /** `held`: refused temporarily, waiting for its own timer. */
  state: 'waiting' | 'sent' | 'held';
  transmissions: number;
  /** Sent, but no response has arrived: the gateway may have it. */
  unsure: boolean;
  refusals: number;
  stopTimer: () => void;
}

/**
 * The messages that are not acknowledged yet. Each is resent, unchanged and under its id, until it is acknowledged. The
 * gateway detects repeats, so a lost connection causes a `duplicate` at most.
 *
 * Messages are sent in the order in which they were added. One that is refused because its queue is full waits alone
 * and may be overtaken.
 */
export class PendingMessages {
  readonly #entries = new Map<string, Entry>();
  #online = false;
  #onTheWire = 0;
  #window = WINDOW;
  #pauseMs = 0;
  #stopPause: (() => void) | undefined;

  constructor(
    private readonly timers: Timers,
    private readonly transmitter: Transmitter,
  ) {}

  /** Fails at once when the message can never be sent. */
  add(id: string, text: string, feed: ReplyFeed): void {
    const refusal = this.transmitter.refusal(text);
    if (refusal) return feed.fail(refusal);
    const fresh = { state: 'waiting', transmissions: 0, unsure: false, refusals: 0, stopTimer: () => {} } as const;
    this.#entries.set(id, { id, text, feed, ...fresh });
    this.#pump();
  }

  find(id: string | undefined): { readonly feed: ReplyFeed; readonly transmissions: number } | undefined {
    return id === undefined ? undefined : this.#entries.get(id);
  }

  /** Removes a message that was acknowledged or permanently refused. */
  remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    entry.stopTimer();
    if (entry.state === 'sent') this.#onTheWire--;
    if (this.#entries.size === 0) {
      this.#window = WINDOW;
      this.#pauseMs = 0;
    }
    this.#pump();
  }

  /** Removes a message that was not sent. Returns false when the gateway may already have it. */
  withdraw(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry || entry.unsure) return false;
    this.remove(id);
    return true;
  }

  /**
   * Records a temporary refusal. `whole`: the cause is this client or the gateway as a whole, so everything waits, and
   * the pauses double while refusals continue. Otherwise the cause is its session's queue, and only this message waits.
   */
  refuse(id: string, retryAfterMs: number, whole: boolean): void {
    const entry = this.#entries.get(id);
    if (entry?.state !== 'sent') return;
    entry.stopTimer();
    this.#onTheWire--;
    entry.unsure = false;
    entry.refusals++;
    if (whole) {
      entry.state = 'waiting';
      this.#pause(retryAfterMs);
    } else {
      entry.state = 'held';
      const delayMs = Math.max(retryAfterMs, Math.min(MAX_DELAY_MS, retryAfterMs * 2 ** (entry.refusals - 1)));
      entry.stopTimer = this.timers.setTimer(delayMs, () => {
        entry.state = 'waiting';
        this.#pump();
      });
    }
    this.#pump();
  }

  connected(): void {
    this.#online = true;
    this.#pump();
  }

  disconnected(): void {
    this.#online = false;
    this.#onTheWire = 0;
    this.#stopPause?.();
    this.#stopPause = undefined;
    for (const entry of this.#entries.values()) {
      entry.stopTimer();
      entry.state = 'waiting';
    }
  }

  failAll(error: Error): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const { feed } of entries) feed.fail(error);
  }

  #pause(retryAfterMs: number): void {
    this.#window = WINDOW_AFTER_REFUSAL;
    // Other messages in flight are refused for the same reason: one pause covers them all.
    if (this.#stopPause) return;
    this.#pauseMs = Math.max(retryAfterMs, Math.min(MAX_PAUSE_MS, this.#pauseMs * 2));
    this.#stopPause = this.timers.setTimer(this.#pauseMs, () => {
      this.#stopPause = undefined;
      this.#pump();
    });
  }

  #pump(): void {
    for (const entry of this.#entries.values()) {
      if (!this.#online || this.#stopPause || this.#onTheWire >= this.#window) return;
      if (entry.state !== 'waiting') continue;
      // A message that was added without a connection, or under a larger limit.
      const refusal = this.transmitter.refusal(entry.text);
      if (refusal) {
        this.#entries.delete(entry.id);
        entry.feed.fail(refusal);
        continue;
      }
      entry.state = 'sent';
      entry.unsure = true;
      entry.transmissions++;
      this.#onTheWire++;
      this.transmitter.send(entry.text);
      this.#expectResponse(entry);
    }
  }

  #expectResponse(entry: Entry): void {
    entry.stopTimer = this.timers.setTimer(PATIENCE_MS, () => {
      this.#expectResponse(entry);
      this.transmitter.probe();
    });
  }
}
