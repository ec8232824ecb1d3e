import type { MessageInPayload, Transcript } from '../../client/index.js';
import { gatewayClock } from './gateway-clock.js';
import type { PageStorage } from './page-storage.js';
import type { UnsentMessage } from './stored-values.js';

/** The channel of the page's messages. */
export const CHANNEL = 'webchat';

/** Time without an acknowledgement after which a message counts as late, in milliseconds. */
const LATE_AFTER_MS = 3_000;

/** Time for which the number of messages sent after an interruption is shown, in milliseconds. */
const SHOW_CAUGHT_UP_MS = 5_000;

/**
 * The messages of this tab that the gateway has not acknowledged. They are kept over a reload, count as late after some
 * seconds, and those that had to wait for a connection are counted once they are stored.
 */
export class Outbox {
  /** The number of messages that were stored after the last interruption; 0 some seconds later. */
  caughtUp = 0;
  readonly #late = new Set<string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  #waited = new Set<string>();
  #forget: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly storage: PageStorage,
    /** Called when a message has become late, and when {@link caughtUp} has changed. */
    private readonly changed: () => void,
  ) {}

  /** True when what is written but not stored by the gateway outlasts a reload. */
  get isLasting(): boolean {
    return this.storage.isLasting;
  }

  get messages(): readonly UnsentMessage[] {
    return this.storage.unsent;
  }

  /** Adds a message. `isWaiting`: there is no connection, so the message is counted once it is stored. */
  add(message: UnsentMessage, isWaiting: boolean): void {
    this.storage.addUnsent(message);
    if (isWaiting) this.#waited.add(message.id);
    this.watch(message.id);
  }

  /** Starts the time after which a message counts as late. A reloaded page calls it for the messages that it finds. */
  watch(id: string): void {
    clearTimeout(this.#timers.get(id));
    const late = () => {
      this.#late.add(id);
      this.changed();
    };
    this.#timers.set(id, setTimeout(late, LATE_AFTER_MS));
  }

  isLate(id: string): boolean {
    return this.#late.has(id);
  }

  /** Removes a message that the gateway has stored (`isStored`), or that it will never store. */
  remove(id: string, isStored: boolean): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#late.delete(id);
    this.storage.removeUnsent(id);
    if (!this.#waited.delete(id) || !isStored) return;
    this.caughtUp++;
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => {
      this.caughtUp = 0;
      this.changed();
    }, SHOW_CAUGHT_UP_MS);
  }

  /** Handles a new connection: all messages that are not stored yet have waited for it. */
  connected(): void {
    this.#waited = new Set(this.messages.map(({ id }) => id));
  }
}

/** Returns a message as the transcript shows it, sent now. */
export function asSent({
  id,
  sender,
  content,
  attachments = [],
  supersedes,
  canvas,
}: UnsentMessage): Parameters<Transcript['add']>[0] {
  return { id, sender, content, attachments: [...attachments], supersedes, canvas, sentAt: gatewayClock.now() };
}

/** Returns the payload of a message as the page sends it. */
export function payloadOf({
  sender,
  content,
  attachments = [],
  supersedes,
  canvas,
}: Omit<UnsentMessage, 'id'>): MessageInPayload {
  return {
    channel: CHANNEL,
    sender,
    content,
    ...(attachments.length > 0 && { attachments: [...attachments] }),
    ...(supersedes !== undefined && { supersedes }),
    ...(canvas !== undefined && { metadata: { canvas } }),
  };
}
