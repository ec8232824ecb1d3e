import { Transcript, type TranscriptMessage } from '../../client/index.js';

const MAX_TITLE_LENGTH = 60;

/** One conversation of the page: its transcript, and what only this browser knows of it. */
export class Conversation {
  readonly transcript: Transcript;
  /** Whether something was answered while another conversation was shown. */
  isUnread = false;
  /** Whether the gateway did not know the session, so that the conversation begins another one. */
  wasForgotten = false;
  readonly #cancelling = new Set<number>();

  /** `sender`: the sender that the page speaks as here. */
  constructor(
    readonly sender: string,
    sessionId: string | undefined,
    public title?: string,
  ) {
    this.transcript = new Transcript(sessionId);
  }

  /** Whether nothing was said in it yet. */
  get isEmpty(): boolean {
    return this.transcript.messages.length === 0 && this.transcript.sessionId === undefined;
  }

  /** Whether the end of the message was requested and has not come yet. */
  isCancelling({ key }: TranscriptMessage): boolean {
    return this.#cancelling.has(key);
  }

  cancelling({ key, phase }: TranscriptMessage): void {
    if (phase === 'open') this.#cancelling.add(key);
  }

  /** The connection was lost: deltas are missed, and a cancellation may not have arrived. */
  interrupt(): void {
    this.#cancelling.clear();
    this.transcript.interrupt();
  }

  /** Derives a title from the first thing said, once. Returns whether it did. */
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
