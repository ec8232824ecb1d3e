import { encodeFrame, newId, type DurableFrame } from './frames.js';
import type { Timers } from './timers.js';

/** Confirmations made within this time leave together, one for each session. */
const COLLECT_MS = 250;

/**
 * Tells the gateway how far each session was delivered, a moment later and only the newest.
 *
 * When it confirms by itself, it does so after a reply's end while no other reply of that session is half received: a
 * client that is started again under the same id then gets whole replies.
 */
export class Deliveries {
  readonly #unfinished = new Map<string, Set<string>>();
  readonly #due = new Map<string, number>();
  #stopTimer: (() => void) | undefined;

  constructor(
    private readonly timers: Timers,
    private readonly transmit: (text: string) => boolean,
  ) {}

  /** A durable frame was received. */
  note({ session_id, seq, type, payload: { message_ref } }: DurableFrame): void {
    let unfinished = this.#unfinished.get(session_id);
    if (!unfinished) this.#unfinished.set(session_id, (unfinished = new Set()));
    if (type !== 'stream_end') return void unfinished.add(message_ref);
    unfinished.delete(message_ref);
    if (unfinished.size > 0) return;
    this.#unfinished.delete(session_id);
    this.confirm(session_id, seq);
  }

  confirm(sessionId: string, seq: number): void {
    this.#due.set(sessionId, Math.max(seq, this.#due.get(sessionId) ?? 0));
    this.#stopTimer ??= this.timers.setTimer(COLLECT_MS, () => this.flush());
  }

  /** Sends what is due; without a connection it stays due. */
  flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (const [session_id, seq] of this.#due) {
      const sent = this.transmit(encodeFrame('delivered', newId(), this.timers.now(), { session_id, seq }));
      if (sent) this.#due.delete(session_id);
    }
  }
}
