import { Transcript, type TranscriptMessage } from '../../client/index.js';

const MAX_TITLE_LENGTH = 60;

/** One conversation of the page: its transcript, and state that only this browser has. */
export class Conversation {
  readonly transcript: Transcript;
  /** True when a reply arrived while another conversation was shown. */
  isUnread = false;
  /** True when the gateway did not know the session, so the conversation starts a new one. */
  wasForgotten = false;
  readonly #cancelling = new Set<number>();

  /** `sender`: the sender as which the page speaks here. */
  constructor(
    readonly sender: string,
    sessionId: string | undefined,
    public title?: string,
  ) {
    this.transcript = new Transcript(sessionId);
  }

  /** True when it contains no message yet. */
  get isEmpty(): boolean {
    return this.transcript.messages.length === 0 && this.transcript.sessionId === undefined;
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
