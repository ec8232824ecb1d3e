import { GatewayError, type GatewayClient } from '../../client/index.js';
import type { Conversation } from './conversation.js';
import type { Conversations } from './conversations.js';
import type { GatewayLink } from './gateway-link.js';

/** Pause before checking again whether another read of the same page has ended, in milliseconds. */
const READ_AGAIN_MS = 50;

/** Reads the messages of conversations from the gateway, page by page. */
export class ConversationReader {
  constructor(
    private readonly conversations: Conversations,
    private readonly link: Pick<GatewayLink, 'client' | 'quality' | 'identity'>,
    private readonly changed: () => void,
    /** Called, with the reason, when the gateway refuses to be read. */
    private readonly refused: (reason: string) => void,
  ) {}

  /** Reads all of a conversation, page by page. Resolves with false when a part of it cannot be read now. */
  async loadAll(conversation: Conversation): Promise<boolean> {
    const { transcript } = conversation;
    if (this.link.quality === 'connected' && (await this.#loadNewest(conversation)))
      await this.#loadOlderWhile(conversation, () => true);
    return (transcript.isLoaded || transcript.sessionId === undefined) && transcript.olderCursor === undefined;
  }

  /**
   * Reads a conversation back to a message, so that it can be shown. Resolves with false when the message may be in a part
   * that cannot be read now.
   */
  async loadUntil(conversation: Conversation, messageRef: string): Promise<boolean> {
    const { transcript } = conversation;
    const isFound = () => transcript.messages.some(({ ref }) => ref === messageRef);
    const isRead = await this.#loadNewest(conversation);
    if (isRead) await this.#loadOlderWhile(conversation, () => !isFound());
    return isFound() || (isRead && transcript.olderCursor === undefined);
  }

  /**
   * Reads the page of messages before the first one of a conversation. After a failure it does so only when a
   * person asks for it (`isAsked`).
   */
  async loadOlder({ transcript }: Conversation, isAsked = false): Promise<void> {
    const { client } = this.link;
    if (!client || transcript.olderCursor === undefined || transcript.isLoadingOlder) return;
    if (transcript.isOlderMissing && !isAsked) return;
    const reading = transcript.loadOlder(client);
    this.changed();
    await reading;
    this.changed();
  }

  /** Reads the newest messages. Resolves with false when they cannot be read. */
  async load(conversation: Conversation): Promise<boolean> {
    const { transcript } = conversation;
    const isRead = await this.#read(conversation, (client) => transcript.load(client));
    const { messages } = transcript;
    const [oldest] = messages;
    const newest = messages[messages.length - 1];
    const isEntitled = oldest?.content !== undefined && conversation.entitle(oldest.content);
    const isNewer = newest?.isPlaced === true && newest.sentAt > conversation.lastAt;
    if (isNewer) conversation.lastAt = newest.sentAt;
    // Only a change: another tab may have removed it from the list.
    if (isEntitled || isNewer) this.conversations.save(conversation);
    return isRead;
  }

  /** Reads the newest messages, or waits until another read of them has ended. Resolves like {@link load}. */
  async #loadNewest(conversation: Conversation): Promise<boolean> {
    const { transcript } = conversation;
    let isRead = await this.load(conversation);
    while (isRead && !transcript.isLoaded && transcript.sessionId !== undefined) {
      await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS));
      isRead = await this.load(conversation);
    }
    return isRead;
  }

  async #loadOlderWhile({ transcript }: Conversation, isWanted: () => boolean): Promise<void> {
    const { client } = this.link;
    if (!client) return;
    while (transcript.olderCursor !== undefined && isWanted()) {
      const { olderCursor } = transcript;
      await transcript.loadOlder(client);
      if (transcript.isOlderMissing) break;
      // Another read of the same page is in progress.
      if (transcript.olderCursor === olderCursor) await new Promise((resolve) => setTimeout(resolve, READ_AGAIN_MS));
    }
    this.changed();
  }

  /** Reads the texts of messages that other clients have sent. */
  fillGaps(conversation: Conversation): void {
    void this.#read(conversation, (client) => conversation.transcript.fillGaps(client));
  }

  async #read(conversation: Conversation, read: (client: GatewayClient) => Promise<void>): Promise<boolean> {
    const { link } = this;
    // An unidentified page may be another person's: what is stored here is not theirs to read.
    const client = link.identity && link.client;
    let isRead = client !== undefined;
    conversation.isUnreadable = false;
    try {
      if (client) await read(client);
    } catch (error) {
      isRead = false;
      if (error instanceof GatewayError) this.#cannotRead(conversation, error as GatewayError);
    }
    this.changed();
    return isRead;
  }

  #cannotRead(conversation: Conversation, error: GatewayError): void {
    if (error.code !== 'NOT_FOUND') {
      conversation.isUnreadable = true;
      return this.refused(error.message);
    }
    // The gateway does not know a session stored in this browser: its store was replaced, or the tenant differs.
    conversation.startNewSession();
    this.conversations.save(conversation);
  }
}
