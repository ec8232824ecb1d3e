import { Conversation } from './conversation.js';
import { makeName, type Memory } from './memory.js';

const TITLE_LENGTH = 60;

/**
 * The conversations of this page. A page that may speak as anybody has as many as it likes, each under a sender of its
 * own, kept by the browser; a page that is bound to one sender has one, which the gateway knows.
 */
export class ConversationList {
  all: Conversation[] = [];
  active: Conversation | undefined;
  /** Those in which something was answered while another was shown. */
  readonly unread = new Set<Conversation>();
  readonly #titles = new Map<string, string>();
  #isBound = false;

  constructor(private readonly memory: Memory) {}

  /** Whether there is one conversation and no other. */
  get isBound(): boolean {
    return this.#isBound;
  }

  /** The one conversation of a page that is bound to `sender`. */
  bind(sender: string, latestSessionId: string | undefined): void {
    const [known] = this.#isBound ? this.all : [];
    if (known?.sender === sender) {
      known.sessionId ??= latestSessionId;
      return;
    }
    this.clear();
    this.#isBound = true;
    this.active = new Conversation(sender, latestSessionId);
    this.all = [this.active];
  }

  /** The conversations that the browser remembers, or a first one. */
  recall(): void {
    if (this.#isBound) this.clear();
    if (this.all.length > 0) return;
    for (const { sender, sessionId, title } of this.memory.conversations) {
      this.all.push(new Conversation(sender, sessionId));
      if (title !== undefined) this.#titles.set(sender, title);
    }
    const shownLast = this.memory.active;
    this.active = this.all.find(({ sender }) => sender === shownLast) ?? this.all[0] ?? this.openNew();
  }

  clear(): void {
    this.all = [];
    this.active = undefined;
    this.unread.clear();
    this.#titles.clear();
    this.#isBound = false;
  }

  open(conversation: Conversation): void {
    this.active = conversation;
    this.unread.delete(conversation);
    this.memory.active = conversation.sender;
  }

  /** A conversation of its own; one that is still empty is taken first. */
  openNew(): Conversation {
    const empty = this.all.find(({ messages, sessionId }) => messages.length === 0 && sessionId === undefined);
    const conversation = empty ?? new Conversation(makeName(), undefined);
    if (!empty) this.all.unshift(conversation);
    this.open(conversation);
    this.keep();
    return conversation;
  }

  /** Takes a conversation off the list; the gateway keeps it. Answers how to put it back. */
  remove(conversation: Conversation): () => void {
    const place = this.all.indexOf(conversation);
    this.all.splice(place, 1);
    const [next] = this.all;
    if (this.active === conversation && next) this.open(next);
    else if (this.active === conversation) this.openNew();
    this.keep();
    return () => {
      this.all.splice(place, 0, conversation);
      this.open(conversation);
      this.keep();
    };
  }

  /** The conversation of a session, or of a message that has no session yet. */
  find(sessionId: string | undefined, messageId: string | undefined): Conversation | undefined {
    const ofSession =
      sessionId === undefined ? undefined : this.all.find((conversation) => conversation.sessionId === sessionId);
    return ofSession ?? this.all.find((conversation) => conversation.findUnsent(messageId));
  }

  findBySender(sender: string): Conversation | undefined {
    return this.all.find((conversation) => conversation.sender === sender);
  }

  titleOf({ sender }: Conversation): string | undefined {
    return this.#titles.get(sender);
  }

  /** Calls a conversation after the first thing said in it, once. */
  entitle({ sender }: Conversation, content: string): void {
    const line = content.split('\n').find((each) => /[^\s#>*`-]/.test(each) && !each.startsWith('```')) ?? '';
    const characters = Array.from(
      line
        .replace(/^[\s#>*-]+/, '')
        .slice(0, TITLE_LENGTH * 2)
        .trim(),
    );
    if (this.#titles.has(sender) || characters.length === 0) return;
    const shortened = characters.length > TITLE_LENGTH ? [...characters.slice(0, TITLE_LENGTH), '…'] : characters;
    this.#titles.set(sender, shortened.join(''));
    this.keep();
  }

  /** Takes over what another tab has added. */
  merge(): void {
    if (this.#isBound || this.all.length === 0) return;
    for (const { sender, sessionId, title } of this.memory.conversations) {
      if (title !== undefined) this.#titles.set(sender, title);
      const known = this.findBySender(sender);
      if (known) known.sessionId ??= sessionId;
      else this.all.unshift(new Conversation(sender, sessionId));
    }
  }

  /** Writes the list down for the next time. */
  keep(): void {
    if (this.#isBound) return;
    this.memory.conversations = this.all.map((conversation) => {
      const { sender, sessionId } = conversation;
      const title = this.titleOf(conversation);
      return { sender, ...(sessionId !== undefined && { sessionId }), ...(title !== undefined && { title }) };
    });
  }
}
