import { Conversation } from './conversation.js';
import { makeName, type PageStorage } from './page-storage.js';

/**
 * The conversations of this page. A page that may speak as any sender has any number, each under its own sender and
 * stored in the browser; a page bound to one sender has one, stored by the gateway.
 */
export class Conversations {
  all: Conversation[] = [];
  active: Conversation | undefined;
  #isBound = false;

  constructor(private readonly storage: PageStorage) {}

  /** True when the page is bound to one sender, and so to one conversation. */
  get isBound(): boolean {
    return this.#isBound;
  }

  /** Shows the single conversation of a page bound to `sender`. */
  bind(sender: string, latestSessionId: string | undefined): void {
    const [known] = this.#isBound ? this.all : [];
    if (known?.sender === sender) {
      known.transcript.sessionId ??= latestSessionId;
      return;
    }
    this.clear();
    this.#isBound = true;
    this.active = new Conversation(sender, latestSessionId);
    this.all = [this.active];
  }

  /** Shows the conversations stored in the browser, or a first one. */
  recall(): void {
    if (this.#isBound) this.clear();
    if (this.all.length > 0) return;
    this.all = this.storage.conversations.map(
      ({ sender, sessionId, title }) => new Conversation(sender, sessionId, title),
    );
    const shownLast = this.storage.active;
    this.active = this.all.find(({ sender }) => sender === shownLast) ?? this.all[0] ?? this.openNew();
  }

  clear(): void {
    this.all = [];
    this.active = undefined;
    this.#isBound = false;
  }

  open(conversation: Conversation): void {
    this.active = conversation;
    conversation.isUnread = false;
    this.storage.active = conversation.sender;
  }

  /** Opens a new conversation, or one that is still empty. */
  openNew(): Conversation {
    const empty = this.all.find(({ isEmpty }) => isEmpty);
    const conversation = empty ?? new Conversation(makeName(), undefined);
    if (!empty) this.all.unshift(conversation);
    this.open(conversation);
    this.save();
    return conversation;
  }

  /** Removes a conversation from the list; the gateway keeps it. Returns a function that restores it. */
  remove(conversation: Conversation): () => void {
    const place = this.all.indexOf(conversation);
    this.all.splice(place, 1);
    const [next] = this.all;
    if (this.active === conversation && next) this.open(next);
    else if (this.active === conversation) this.openNew();
    this.save();
    return () => {
      this.all.splice(place, 0, conversation);
      this.open(conversation);
      this.save();
    };
  }

  /** Finds the conversation of a session, or of a message that has no session yet. */
  find(sessionId: string | undefined, messageId: string | undefined): Conversation | undefined {
    const ofSession =
      sessionId === undefined ? undefined : this.all.find(({ transcript }) => transcript.sessionId === sessionId);
    return ofSession ?? this.all.find(({ transcript }) => transcript.findUnsent(messageId));
  }

  findBySender(sender: string): Conversation | undefined {
    return this.all.find((conversation) => conversation.sender === sender);
  }

  /** Adds the conversations, sessions and titles that another tab has stored. */
  merge(): void {
    if (this.all.length === 0) return;
    if (this.#isBound) return this.#mergeBound();
    for (const { sender, sessionId, title } of this.storage.conversations) {
      const known = this.findBySender(sender);
      if (!known) {
        this.all.unshift(new Conversation(sender, sessionId, title));
        continue;
      }
      known.title = title ?? known.title;
      known.transcript.sessionId ??= sessionId;
    }
  }

  /** Saves the list in the browser's storage. Of a bound page it saves the session, for tabs that do not know it yet. */
  save(): void {
    if (this.#isBound) {
      const { sender, transcript } = this.active ?? {};
      if (sender !== undefined && transcript?.sessionId !== undefined)
        this.storage.bound = { sender, sessionId: transcript.sessionId };
      return;
    }
    this.storage.conversations = this.all.map(({ sender, title, transcript: { sessionId } }) => ({
      sender,
      ...(sessionId !== undefined && { sessionId }),
      ...(title !== undefined && { title }),
    }));
  }

  #mergeBound(): void {
    const { bound } = this.storage;
    if (this.active && bound?.sender === this.active.sender) this.active.transcript.sessionId ??= bound.sessionId;
  }
}
