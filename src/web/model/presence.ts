import type { PresenceStatus } from '../../client/index.js';

/** Time without a keystroke after which a person counts as no longer typing, in milliseconds. */
const STOPPED_AFTER_MS = 4_000;

/** Interval between repeated reports while a person keeps typing, in milliseconds. */
const REPEAT_TYPING_MS = 3_000;

/** Turns keystrokes and page visibility into a small number of presence reports. */
export class Presence {
  #status: PresenceStatus = 'online';
  #reportedTypingAt = 0;
  #stopTyping: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly report: (status: PresenceStatus) => void) {}

  /** Reports the current status on a new connection. */
  connected(): void {
    this.report(this.#status);
  }

  typed(): void {
    clearTimeout(this.#stopTyping);
    this.#stopTyping = setTimeout(() => this.sent(), STOPPED_AFTER_MS);
    if (this.#status === 'typing' && Date.now() - this.#reportedTypingAt < REPEAT_TYPING_MS) return;
    this.#reportedTypingAt = Date.now();
    this.#status = 'typing';
    this.report('typing');
  }

  /** Call it when the text was sent or deleted. */
  sent(): void {
    clearTimeout(this.#stopTyping);
    if (this.#status === 'typing') this.#enter('online');
  }

  shown(isVisible: boolean): void {
    clearTimeout(this.#stopTyping);
    // A page that is left is also hidden a moment later.
    if (this.#status === 'offline' && !isVisible) return;
    this.#enter(isVisible ? 'online' : 'idle');
  }

  left(): void {
    clearTimeout(this.#stopTyping);
    this.#enter('offline');
  }

  #enter(status: PresenceStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.report(status);
  }
}
