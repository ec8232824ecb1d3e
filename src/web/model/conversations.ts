import { Conversation } from './conversation.js';
import { makeName, type PageStorage } from './page-storage.js';
import type { UnsentMessage } from './stored-values.js';

/** The name of an empty conversation in addresses. */
export const NEW = 'new';

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

  /** True when this browser has shown a page that is bound to one sender. */
  get wasBound(): boolean {
    return this.storage.wasBound;
  }

  /** True when the list outlasts the page: the browser has refused to store none of it. */
  get isLasting(): boolean {
    return this.storage.isListLasting;
  }

  /** The conversations that have a message, newest first. */
  get listed(): readonly Conversation[] {
    return this.all.filter(({ isEmpty }) => !isEmpty).sort((a, b) => b.lastAt - a.lastAt);
  }

  /** The number of replies in all conversations that were not seen. */
  get unread(): number {
    return this.all.reduce((sum, { unread }) => sum + unread, 0);
  }

  /** Shows the single conversation of a page bound to `sender`. */
  bind(sender: string, latestSessionId: string | undefined): void {
    const [known] = this.#isBound ? this.all : [];
    if (known?.sender === sender) {
      // The stored entry may be of an agent that the sender has left since.
      if (!known.transcript.isLoaded) known.transcript.sessionId = latestSessionId ?? known.transcript.sessionId;
      return;
    }
    this.clear();
    this.#isBound = true;
    this.active = new Conversation(sender, latestSessionId);
    this.all = [this.active];
  }

  /** Shows the conversations stored in the browser. A tab shows what it showed last, else the newest one, else a new one. */
  recall(): void {
    if (this.#isBound) this.clear();
    if (this.all.length > 0) return;
    this.all = this.storage.conversations.map((known) => Conversation.from(known));
    const { active, blank } = this.storage;
    if (blank !== undefined && !this.findBySender(blank)) this.all.push(new Conversation(blank, undefined));
    const known = active === undefined ? this.listed[0] : this.findBySender(active);
    if (known) this.open(known);
    else this.openNew();
  }

  /** Shows none of them: the one that is wanted is being looked for, or is not here. */
  leave(): void {
    this.active = undefined;
  }

  clear(): void {
    this.all = [];
    this.active = undefined;
    this.#isBound = false;
  }

  open(conversation: Conversation): void {
    this.active = conversation;
    this.storage.active = conversation.sender;
  }

  /** Opens a new conversation, or one that is still empty. It is stored and listed with its first message. */
  openNew(): Conversation {
    const empty = this.all.find(({ isEmpty }) => isEmpty);
    if (!empty) return this.#openEmpty();
    this.open(empty);
    return empty;
  }

  /**
   * Shows what the browser has stored, before the gateway has said who is signed in and whether the page is bound to one
   * sender.
   */
  recallStored(): void {
    const { bound, conversations, blank } = this.storage;
    if (bound !== undefined) this.bind(bound.sender, bound.sessionId);
    else if (conversations.length > 0 || blank !== undefined) this.recall();
  }

  /** Returns the conversation of a message that waits to be sent. The browser may have refused to store the list. */
  hold({ sender, content }: Pick<UnsentMessage, 'sender' | 'content'>): Conversation | undefined {
    const known = this.findBySender(sender);
    if (known || this.#isBound) return known;
    const conversation = new Conversation(sender, undefined);
    conversation.entitle(content);
    this.all.push(conversation);
    return conversation;
  }

  /** Lists a conversation that this browser did not know. */
  add(sender: string, sessionId: string): Conversation {
    const conversation = this.findBySender(sender) ?? new Conversation(sender, sessionId);
    conversation.transcript.sessionId ??= sessionId;
    if (!this.all.includes(conversation)) this.all.push(conversation);
    return conversation;
  }

  /** Removes a conversation from the list; the gateway keeps it. Returns a function that restores it. */
  remove(conversation: Conversation): () => void {
    this.#forget(conversation);
    this.storage.dropConversation(conversation.sender);
    return () => {
      if (!this.findBySender(conversation.sender)) this.all.push(conversation);
      this.open(conversation);
      this.save(conversation);
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

  /** The name of a conversation in addresses; undefined for the empty one of a page that is bound to one sender. */
  nameOf({ sender, isEmpty, transcript }: Conversation): string | undefined {
    if (this.#isBound) return transcript.sessionId;
    return isEmpty ? NEW : (transcript.sessionId ?? sender);
  }

  /** Finds a conversation by its name in an address. */
  findByName(name: string): Conversation | undefined {
    if (name === NEW) return this.#isBound ? this.all[0] : this.all.find(({ isEmpty }) => isEmpty);
    return this.all.find(({ transcript }) => transcript.sessionId === name) ?? this.findBySender(name);
  }

  /** Takes over the changes of another tab: new and removed conversations, sessions, titles and marks. */
  merge(): void {
    if (this.all.length === 0) return;
    if (this.#isBound) return this.#mergeBound();
    const stored = new Map(this.storage.conversations.map((known) => [known.sender, known]));
    for (const conversation of [...this.all]) {
      const isGone = !stored.has(conversation.sender) && !conversation.isEmpty;
      if (isGone && conversation !== this.active) this.#forget(conversation);
    }
    for (const known of stored.values()) {
      const conversation = this.findBySender(known.sender);
      if (!conversation) this.all.push(Conversation.from(known));
      else this.#update(conversation, Conversation.from(known));
    }
  }

  /**
   * Saves a conversation in the browser's storage. For a bound page it saves the session, for tabs that do not know it
   * yet.
   */
  save(conversation: Conversation): void {
    if (!this.#isBound) {
      if (conversation.isEmpty) return;
      this.storage.putConversation(conversation.known);
      if (this.storage.blank === conversation.sender) this.storage.blank = undefined;
      return;
    }
    const { sender, transcript } = conversation;
    if (transcript.sessionId !== undefined) this.storage.bound = { sender, sessionId: transcript.sessionId };
  }

  #openEmpty(): Conversation {
    const conversation = new Conversation(makeName(), undefined);
    this.storage.blank = conversation.sender;
    this.all.push(conversation);
    this.open(conversation);
    return conversation;
  }

  #forget(conversation: Conversation): void {
    this.all = this.all.filter((each) => each !== conversation);
    if (this.active !== conversation) return;
    const [next] = this.listed;
    if (next) this.open(next);
    else this.openNew();
  }

  #update(conversation: Conversation, { title, isNamed, isPinned, lastAt, seenUpTo, transcript }: Conversation): void {
    Object.assign(conversation, { title: title ?? conversation.title, isNamed, isPinned });
    conversation.lastAt = Math.max(conversation.lastAt, lastAt);
    conversation.seenUpTo = Math.max(conversation.seenUpTo, seenUpTo);
    conversation.transcript.sessionId ??= transcript.sessionId;
  }

  #mergeBound(): void {
    const { bound } = this.storage;
    if (this.active && bound?.sender === this.active.sender) this.active.transcript.sessionId ??= bound.sessionId;
  }
}
