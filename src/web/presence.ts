/** What the page tells of the person in front of it. */
export type PresenceStatus = 'online' | 'typing' | 'idle' | 'offline';

/** Somebody who has not touched a key for this long has stopped typing, in milliseconds. */
const STOPPED_AFTER_MS = 4_000;

/** As long as somebody goes on typing it is told again this often, in milliseconds. */
const REPEAT_TYPING_MS = 3_000;

/** Turns keystrokes and the coming and going of the page into few presence frames. */
export class Presence {
  #status: PresenceStatus = 'online';
  #toldTypingAt = 0;
  #stopTyping: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: (status: PresenceStatus) => void) {}

  /** The connection stands: nobody there knows anything. */
  connected(): void {
    this.tell(this.#status);
  }

  typed(): void {
    clearTimeout(this.#stopTyping);
    this.#stopTyping = setTimeout(() => this.sent(), STOPPED_AFTER_MS);
    if (this.#status === 'typing' && Date.now() - this.#toldTypingAt < REPEAT_TYPING_MS) return;
    this.#toldTypingAt = Date.now();
    this.#status = 'typing';
    this.tell('typing');
  }

  /** The text was sent, or there is none any more. */
  sent(): void {
    clearTimeout(this.#stopTyping);
    if (this.#status === 'typing') this.#enter('online');
  }

  shown(isVisible: boolean): void {
    clearTimeout(this.#stopTyping);
    // A page that is left is hidden a moment later.
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
    this.tell(status);
  }
}
