import type { GatewayClient, HistoryMessage } from '../../client/index.js';
import type { Conversation } from './conversation.js';
import { patternOf } from './search-words.js';

const PAGE_SIZE = 50;

/** Maximum number of hits; the search ends there. */
export const MAX_HITS = 100;

/** Characters of a snippet before and after the found words. */
const BEFORE = 40;
const AFTER = 120;

/** Blocks whose content is text that a person reads. */
const READABLE = new Set(['text', 'markdown', 'code']);

/** A place where the words were found: a part of the text, with the found words from `from` to `to`. */
export interface Hit {
  readonly conversation: Conversation;
  readonly messageRef: string;
  readonly snippet: string;
  readonly from: number;
  readonly to: number;
  /** Unix milliseconds. */
  readonly sentAt: number;
}

/** Searches the messages of conversations, which the gateway stores, page by page and newest first. */
export class HistorySearch {
  readonly hits: Hit[] = [];
  isRunning = false;
  /** The number of conversations that were read to their beginning. */
  searched = 0;
  /** True when the gateway did not answer, so that hits may be missing. */
  hasFailed = false;
  readonly #pattern: RegExp;

  /** `changed` is called after each page. */
  constructor(
    readonly words: string,
    readonly conversations: readonly Conversation[],
    private readonly changed: () => void,
  ) {
    this.#pattern = patternOf(words);
  }

  /** Resolves at the end: all is read, {@link MAX_HITS} are found, {@link stop} was called, or a page cannot be read. */
  async run(client: Pick<GatewayClient, 'peekHistory'>): Promise<void> {
    this.isRunning = true;
    try {
      for (const conversation of this.conversations) {
        await this.#read(client, conversation);
        if (!this.#goesOn) break;
        this.searched++;
      }
    } catch {
      this.hasFailed = true;
    }
    this.isRunning = false;
    this.changed();
  }

  stop(): void {
    this.isRunning = false;
    this.changed();
  }

  get #goesOn(): boolean {
    return this.isRunning && this.hits.length < MAX_HITS;
  }

  async #read(client: Pick<GatewayClient, 'peekHistory'>, conversation: Conversation): Promise<void> {
    const { sessionId } = conversation.transcript;
    let before: string | undefined;
    do {
      if (sessionId === undefined) return;
      const page = await client.peekHistory(sessionId, { limit: PAGE_SIZE, ...(before !== undefined && { before }) });
      for (const message of [...page.messages].reverse()) this.#look(conversation, message);
      before = page.next_before;
      this.changed();
    } while (before !== undefined && this.#goesOn);
  }

  #look(
    conversation: Conversation,
    { message_ref: messageRef, content, blocks, sent_at: sentAt }: HistoryMessage,
  ): void {
    const texts = [
      content,
      ...blocks.filter(({ block_type }) => READABLE.has(block_type)).map((block) => block.content),
    ];
    for (const text of texts) {
      const place = this.hits.length < MAX_HITS ? find(text, this.#pattern) : undefined;
      if (place) this.hits.push({ conversation, messageRef, sentAt, ...place });
    }
  }
}

function find(text: string, pattern: RegExp): Pick<Hit, 'snippet' | 'from' | 'to'> | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const start = Math.max(0, match.index - BEFORE);
  const lead = start > 0 ? '…' : '';
  const end = match.index + match[0].length;
  const tail = end + AFTER < text.length ? '…' : '';
  const from = match.index - start + lead.length;
  return { snippet: lead + text.slice(start, end + AFTER) + tail, from, to: from + match[0].length };
}
