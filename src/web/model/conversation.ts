import { Transcript, type OutboundFrame, type TranscriptMessage } from '../../client/index.js';
import type { KnownConversation } from './stored-values.js';

const MAX_TITLE_LENGTH = 60;
const MAX_NAME_LENGTH = 120;

/** One conversation of the page: its transcript, and state that only this browser has. */
export class Conversation {
  readonly transcript: Transcript;
  /** True when a person gave the title. */
  isNamed = false;
  isPinned = false;
  /** The principal that began it, if that is another one than the person of this browser. */
  founder: string | undefined;
  /** The time of the last message, in Unix milliseconds; 0 when it is not known. */
  lastAt = 0;
  /** The position in the session's log up to which a person has seen it in this browser; 0 when it is not known. */
  seenUpTo = 0;
  /** True when the gateway did not know the session, so the conversation starts a new one. */
  wasForgotten = false;
  /** True when the last attempt to read its messages failed. */
  isUnreadable = false;
  readonly #cancelling = new Set<number>();
  /** The newest known position in the session's log, and those at which unseen replies ended. */
  #upTo = 0;
  readonly #ends = new Set<number>();

  /** Restores a stored conversation. */
  static from({ sender, sessionId, title, ...marks }: KnownConversation): Conversation {
    return Object.assign(new Conversation(sender, sessionId, title), marks);
  }

  /** `sender`: the sender as which the page speaks here. */
  constructor(
    readonly sender: string,
    sessionId: string | undefined,
    public title?: string,
  ) {
    this.transcript = new Transcript(sessionId);
  }

  /** The form in which the browser stores it. */
  get known(): KnownConversation {
    const { sender, title, founder, isNamed, isPinned, lastAt, seenUpTo } = this;
    const { sessionId } = this.transcript;
    return {
      sender,
      ...(sessionId !== undefined && { sessionId }),
      ...(title !== undefined && { title }),
      ...(founder !== undefined && { founder }),
      ...(isNamed && { isNamed }),
      ...(isPinned && { isPinned }),
      ...(lastAt > 0 && { lastAt }),
      ...(seenUpTo > 0 && { seenUpTo }),
    };
  }

  /** True when it contains no message yet. */
  get isEmpty(): boolean {
    const { messages, sessionId } = this.transcript;
    return messages.length === 0 && sessionId === undefined && this.title === undefined;
  }

  /** The number of replies that ended while the conversation was not seen. */
  get unread(): number {
    return [...this.#ends].filter((seq) => seq > this.seenUpTo).length;
  }

  /** Handles that a person sees all that is known here. Returns true when something of it is new. */
  see(): boolean {
    const isNew = this.#upTo > this.seenUpTo;
    this.seenUpTo = Math.max(this.seenUpTo, this.#upTo);
    this.#ends.clear();
    return isNew;
  }

  /** Takes a frame of the session. Before the messages are read, only its position counts. */
  take(frame: OutboundFrame, isLive: boolean): void {
    const { type, seq } = frame;
    const position = type === 'history' ? frame.payload.head_seq : (seq ?? 0);
    this.#upTo = Math.max(this.#upTo, position);
    if (type === 'stream_end' && position > this.seenUpTo) this.#ends.add(position);
    const isOfReply = seq !== undefined || type === 'stream_delta';
    const { isLoaded, messages } = this.transcript;
    if (isLoaded || messages.length > 0 || !isOfReply) this.transcript.take(frame, isLive);
  }

  /** Detaches the conversation from a session that the gateway does not know: the next message starts a new one. */
  startNewSession(): void {
    this.transcript.startNewSession();
    this.wasForgotten = true;
    this.seenUpTo = 0;
    this.#upTo = 0;
    this.#ends.clear();
  }

  /** Returns true while a requested cancellation is not confirmed by the end of the reply. */
  isCancelling({ key }: TranscriptMessage): boolean {
    return this.#cancelling.has(key);
  }

  cancelling({ key, phase }: TranscriptMessage): void {
    if (phase === 'open') this.#cancelling.add(key);
  }

  /** Handles a lost connection: deltas are missed, and a cancellation may not have arrived. */
  interrupt(): void {
    this.#cancelling.clear();
    this.transcript.interrupt();
  }

  /** Sets the title that a person has typed. After an empty one, the title comes from the first message again. */
  rename(title: string): void {
    const characters = Array.from(title.trim().replaceAll(/\s+/g, ' ')).slice(0, MAX_NAME_LENGTH);
    this.isNamed = characters.length > 0;
    this.title = this.isNamed ? characters.join('') : undefined;
    const [oldest] = this.transcript.messages;
    if (!this.isNamed && oldest?.content !== undefined) this.entitle(oldest.content);
  }

  /** Derives the title from the first message, once. Returns true when it did. */
  entitle(content: string): boolean {
    const line = content.split('\n').find((each) => /[^\s#>*`-]/.test(each) && !each.startsWith('```')) ?? '';
    const start = line.replace(/^[\s#>*-]+/, '').slice(0, MAX_TITLE_LENGTH * 2);
    const characters = Array.from(start.trim());
    if (this.title !== undefined || characters.length === 0) return false;
    const isLong = characters.length > MAX_TITLE_LENGTH;
    this.title = (isLong ? [...characters.slice(0, MAX_TITLE_LENGTH), '…'] : characters).join('');
    return true;
  }
}
