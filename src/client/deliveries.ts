import type { Transmitter } from './reconnecting-link.js';
import { encodeInbound, newId, type DurableFrame } from './frames.js';
import type { Timers } from './timers.js';

/** Confirmations made within this time are sent together, one per session. In milliseconds. */
const COLLECT_MS = 250;

/**
 * Confirms to the gateway how far each session was delivered: after a short delay, and only the newest seq.
 *
 * Automatic confirmation happens at the end of a reply when no other reply of that session is partly received. After a
 * restart under the same client id, the client therefore gets whole replies.
 */
export class Deliveries {
  readonly #unfinished = new Map<string, Set<string>>();
  readonly #due = new Map<string, number>();
  #stopTimer: (() => void) | undefined;

  constructor(
    private readonly timers: Timers,
    private readonly transmitter: Transmitter,
  ) {}

  /** Records a durable frame, and confirms when it ends the last unfinished reply of its session. */
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

  /** Sends the confirmations that are due; without a connection they stay due. */
  flush(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    for (const [session_id, seq] of this.#due) {
      const sent = this.transmitter.send(encodeInbound('delivered', newId(), this.timers.now(), { session_id, seq }));
      if (sent) this.#due.delete(session_id);
    }
  }
}
